import type { WechatEmulatorOptions } from '../../src/emulator/index.js';
import {
  authorize,
  authorizeUrl,
  callAuth,
  callRefresh,
  callToken,
  callUserInfo,
  closeEmulators,
  errcodeOf,
  errorOn,
  open,
  RID_AT_START,
  signIn,
  startEmulator,
} from './emulator.harness.js';

afterEach(closeEmulators);

describe('failNext', () => {
  it.each(['token', 'refresh', 'userinfo', 'auth'] as const)(
    'lets one call of %s fail and not the next',
    async (endpoint) => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_userinfo');
      const call = {
        token: async () => callToken(wechat, { code: await authorize(wechat, 'snsapi_base') }),
        refresh: () => callRefresh(wechat, { refresh_token: tokens.refresh_token }),
        userinfo: () => callUserInfo(wechat, tokens),
        auth: () => callAuth(wechat, tokens),
      }[endpoint];
      await wechat.failNext(endpoint, { errcode: -1 });

      expect((await call()).text).toMatch(
        new RegExp(`^\\{"errcode":-1,"errmsg":"system error, ${RID_AT_START}"\\}$`),
      );
      expect(errcodeOf(await call())).toBe(0);
    },
  );

  it('repeats a fault, then goes on to the next one in the queue', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('auth', { errcode: 45011 }, { times: 2 });
    await wechat.failNext('auth', { errcode: 40003, errmsg: 'as given' });
    const tokens = { access_token: 'x', openid: 'o' };

    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(45011);
    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(45011);
    expect((await callAuth(wechat, tokens)).text).toBe('{"errcode":40003,"errmsg":"as given"}');
    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(40001);
  });

  it.each([400, 404, 429, 500, 502, 503, 504])(
    'answers with the HTTP status %i, as a gateway does',
    async (status) => {
      const wechat = await startEmulator();
      await wechat.failNext('auth', { status });
      const page = await callAuth(wechat, {});

      expect(page.status).toBe(status);
      expect(page.headers.get('content-type')).toBe('text/html');
      expect(page.text).toContain(`<h1>${String(status)}</h1>`);
    },
  );

  it('answers with a text that is no JSON, under the usual type or a wrong one', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('userinfo', { body: '<!doctype html>' });
    await wechat.failNext('userinfo', { body: '{"openid":', contentType: 'text/html' });
    const [garbage, half] = [await callUserInfo(wechat, {}), await callUserInfo(wechat, {})];

    expect([garbage.status, garbage.headers.get('content-type'), garbage.text]).toEqual([
      200,
      'text/plain',
      '<!doctype html>',
    ]);
    expect([half.headers.get('content-type'), half.text]).toEqual(['text/html', '{"openid":']);
  });

  it('answers with nothing at all', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('refresh', { body: '' });
    const page = await callRefresh(wechat, {});

    expect([page.status, page.text]).toEqual([200, '']);
  });

  it('answers with a huge body', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('userinfo', { bodyBytes: 20_000_000, contentType: 'application/json' });
    const page = await callUserInfo(wechat, {});

    expect([page.headers.get('content-type'), page.text.length]).toEqual(['application/json', 20_000_000]);
    expect(() => JSON.parse(page.text) as unknown).toThrow();
  });

  it('fails for a while on its own clock, and not a millisecond longer', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('auth', { status: 503 }, { durationMs: 3_600_000 });

    for (const passedMs of [0, 1_800_000, 1_799_999]) {
      await wechat.advanceTime(passedMs);
      expect((await callAuth(wechat, {})).status).toBe(503);
    }
    await wechat.advanceTime(1);
    expect((await callAuth(wechat, {})).status).toBe(200);
  });

  it('goes down and comes back over hours of its own clock, each endpoint for itself', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    const statuses = async () => [
      (await callRefresh(wechat, { refresh_token: tokens.refresh_token })).status,
      (await callUserInfo(wechat, tokens)).status,
    ];
    await wechat.failNext('refresh', { status: 502 }, { durationMs: 3_600_000 });
    await wechat.failNext('userinfo', { status: 504 }, { durationMs: 2 * 3_600_000 });

    expect(await statuses()).toEqual([502, 504]);
    await wechat.advanceTime(3_600_000);
    expect(await statuses()).toEqual([200, 504]);
    await wechat.advanceTime(3_600_000);
    expect(await statuses()).toEqual([200, 200]);
  });

  it('ends a fault after so many times or so long, whichever comes first', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('auth', { status: 502 }, { times: 2, durationMs: 1_000 });
    const statuses = [await callAuth(wechat, {}), await callAuth(wechat, {}), await callAuth(wechat, {})];
    expect(statuses.map(({ status }) => status)).toEqual([502, 502, 200]);

    await wechat.failNext('auth', { status: 502 }, { times: 2, durationMs: 1_000 });
    await wechat.advanceTime(1_000);
    expect((await callAuth(wechat, {})).status).toBe(200);
  });

  it('meets a share of the calls, the same ones for the same seed', async () => {
    const [one, same, other] = [
      await whichFail({ seed: 'a' }),
      await whichFail({ seed: 'a' }),
      await whichFail({ seed: 'b' }),
    ];

    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
    // A tenth of 400, give or take four standard deviations.
    expect(one.filter(Boolean).length).toBeGreaterThan(16);
    expect(one.filter(Boolean).length).toBeLessThan(64);
  });

  it('meets a share of the calls so many times', async () => {
    expect((await whichFail({ seed: 'a' }, 3)).filter(Boolean)).toHaveLength(3);
  });

  it('ends all faults when it is told to, those at work and those in the queue', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('auth', { status: 502 }, { times: 9 });
    await wechat.failNext('auth', { status: 503 }, { durationMs: 3_600_000 });
    await wechat.failNext('authorize', { errcode: 10009 }, { share: 0.5 });
    expect((await callAuth(wechat, {})).status).toBe(502);
    await wechat.clearFaults();

    expect((await callAuth(wechat, {})).status).toBe(200);
    expect((await open(authorizeUrl(wechat))).status).toBe(302);
  });

  it('answers with any bytes under any type', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('auth', { body: Uint8Array.of(0x7b, 0xff, 0x7d), contentType: 'application/json' });
    const response = await fetch(`${wechat.apiBaseUrl}/sns/auth`);

    expect(response.headers.get('content-type')).toBe('application/json');
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0x7b, 0xff, 0x7d]);
  });

  it('uses a code up when the exchange fails on the side of WeChat', async () => {
    const wechat = await startEmulator();
    const code = await authorize(wechat, 'snsapi_base');
    await wechat.failNext('token', { status: 500 });

    expect((await callToken(wechat, { code })).status).toBe(500);
    expect(errcodeOf(await callToken(wechat, { code }))).toBe(40163);
  });

  it('cuts an answer in half after the work is done', async () => {
    const wechat = await startEmulator();
    const former = await signIn(wechat, 'snsapi_base');
    const code = await authorize(wechat, 'snsapi_base');
    await wechat.failNext('token', { cut: true });

    await expect(callToken(wechat, { code })).rejects.toThrow();
    expect(errcodeOf(await callAuth(wechat, former))).toBe(40001);
  });

  it('cuts a redirect before it begins', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('authorize', { cut: true });

    await expect(open(authorizeUrl(wechat))).rejects.toThrow();
    expect((await open(authorizeUrl(wechat))).status).toBe(302);
  });

  it('answers late after the work is done', async () => {
    const wechat = await startEmulator();
    const former = await signIn(wechat, 'snsapi_base');
    const code = await authorize(wechat, 'snsapi_base');
    await wechat.failNext('token', { delayMs: 1 });

    expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
    expect(errcodeOf(await callAuth(wechat, former))).toBe(40001);
  });

  it('never answers, until the caller or the emulator ends the connection', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('auth', { hang: true });
    await wechat.failNext('auth', { delayMs: 3_600_000 });
    const calls = Promise.allSettled([callAuth(wechat, {}), callAuth(wechat, {})]);
    await received(wechat, 2);
    await wechat.close();

    expect((await calls).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('shows an error page at the authorization endpoint, also one without words of its own', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('authorize', { errcode: 10004 });
    await wechat.failNext('authorize', { errcode: 10038 });

    expect(errorOn(await open(authorizeUrl(wechat)))).toEqual(['此公众号被封禁', '10004']);
    expect(errorOn(await open(authorizeUrl(wechat)))).toEqual(['该链接无法访问', '10038']);
  });

  it.each<[string, () => [unknown, unknown, unknown?], RegExp]>([
    [
      'an unknown endpoint',
      () => ['login', { status: 500 }],
      /no endpoint "login"; there are authorize, token, /,
    ],
    ['an empty fault', () => ['token', {}], /give exactly one of \{ errcode: 45011 \}, \{ status: 502 \}, /],
    ['two faults in one', () => ['token', { hang: true, cut: true }], /give exactly one of/],
    ['a delay that no timer takes', () => ['token', { delayMs: 3_000_000_000 }], /give exactly one of/],
    ['a body that no text can hold', () => ['token', { bodyBytes: 600_000_000 }], /give exactly one of/],
    ['a status whose answer has no body', () => ['token', { status: 304 }], /give exactly one of/],
    [
      'a field that does not belong to it',
      () => ['token', { status: 502, contentType: 'text/plain' }],
      /an errcode may/,
    ],
    [
      'a content type of two lines',
      () => ['token', { body: 'x', contentType: 'a\nb' }],
      /a body a contentType/,
    ],
    [
      'an unknown option',
      () => ['token', { hang: true }, { timse: 3 }],
      /no option "timse" of a fault; there are times/,
    ],
    ['a fault that never happens', () => ['token', { hang: true }, { times: 0 }], /`times` of 1 or more/],
    [
      'a share of nothing',
      () => ['token', { hang: true }, { share: 0 }],
      /`share` above 0, and 1 at the most/,
    ],
    [
      'a fault that is over at once',
      () => ['token', { hang: true }, { durationMs: 0 }],
      /`durationMs` above 0/,
    ],
  ])('refuses %s', async (_case, arguments_, message) => {
    const wechat = await startEmulator();
    const failNext = wechat.failNext as (...parameters: unknown[]) => Promise<void>;

    await expect(failNext(...arguments_())).rejects.toThrow(message);
  });
});

/** @returns of 400 calls, which ones met a fault that is for a tenth of them. */
async function whichFail(options: WechatEmulatorOptions, times?: number): Promise<boolean[]> {
  const wechat = await startEmulator(options);
  await wechat.failNext('auth', { status: 502 }, { share: 0.1, ...(times && { times }) });
  const failures: boolean[] = [];
  for (let call = 0; call < 400; call++) failures.push((await callAuth(wechat, {})).status === 502);
  return failures;
}

/** Waits until the emulator has received `count` requests, turn by turn of the event loop. */
async function received(wechat: { requests: readonly unknown[] }, count: number): Promise<void> {
  while (wechat.requests.length < count) {
    await new Promise(setImmediate);
  }
}

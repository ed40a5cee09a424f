import {
  authorize,
  authorizeUrl,
  callAuth,
  callRefresh,
  callToken,
  callUserInfo,
  closeEmulators,
  errcodeOf,
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

  it('answers with an HTTP status', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('auth', { status: 502 });
    const page = await callAuth(wechat, {});

    expect(page.status).toBe(502);
    expect(page.headers.get('content-type')).toBe('text/html');
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

  it('shows an error page at the authorization endpoint', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('authorize', { errcode: 10009 });

    expect((await open(authorizeUrl(wechat))).text).toContain('操作太频繁了，请稍后重试');
  });

  it.each<[string, () => [unknown, unknown, unknown?], RegExp]>([
    [
      'an unknown endpoint',
      () => ['login', { status: 500 }],
      /no endpoint "login"; there are authorize, token, /,
    ],
    ['an empty fault', () => ['token', {}], /give exactly one of \{ errcode: 45011 \}, \{ status: 502 \}, /],
    ['two faults in one', () => ['token', { hang: true, cut: true }], /give exactly one of/],
    ['a fault that never happens', () => ['token', { hang: true }, { times: 0 }], /`times` of 1 or more/],
  ])('refuses %s', async (_case, arguments_, message) => {
    const wechat = await startEmulator();
    const failNext = wechat.failNext as (...parameters: unknown[]) => Promise<void>;

    await expect(failNext(...arguments_())).rejects.toThrow(message);
  });
});

/** Waits until the emulator has received `count` requests, turn by turn of the event loop. */
async function received(wechat: { requests: readonly unknown[] }, count: number): Promise<void> {
  while (wechat.requests.length < count) {
    await new Promise(setImmediate);
  }
}

import { createServer, type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { WechatResponseError } from '../../src/protocol/wechat-response.error.js';
import {
  ACCESS_TOKEN,
  APP_SECRET,
  CODE,
  OPENID,
  REFRESH_TOKEN,
  ScriptedWechat,
  failureOf,
  wechatAnswer,
} from './scripted-wechat.js';

let wechat: ScriptedWechat;
beforeEach(async () => {
  wechat = await ScriptedWechat.start();
});
afterEach(() => wechat.close());

/** Everything a logger could write of a value. */
function everyTextOf(value: unknown): string {
  const texts = [inspect(value, { depth: null, showHidden: true, getters: true }), JSON.stringify(value)];
  for (let error = value; error instanceof Error; error = error.cause) {
    texts.push(error.message, String(error.stack), String(error));
  }
  return texts.join('\n');
}

function expectNoSecretIn(value: unknown): void {
  const text = everyTextOf(value);
  for (const secret of [APP_SECRET, CODE, ACCESS_TOKEN, REFRESH_TOKEN, OPENID]) {
    expect(text.toLowerCase()).not.toContain(secret.toLowerCase());
  }
  expect(text).not.toMatch(/secret=|access_token=|refresh_token=/);
}

async function allFourFailures(): Promise<WechatResponseError[]> {
  const client = wechat.client({ requestTimeoutMs: 1_000 });
  return Promise.all([
    failureOf(client.authorizationCodeGrant({ code: CODE })),
    failureOf(client.refreshTokenGrant({ refreshToken: REFRESH_TOKEN })),
    failureOf(client.fetchUserInfo({ accessToken: ACCESS_TOKEN, openid: OPENID })),
    failureOf(client.verifyAccessToken({ accessToken: ACCESS_TOKEN, openid: OPENID })),
  ]);
}

describe('an error of WeChat', () => {
  it('holds no secret where WeChat repeats the whole request in its text', async () => {
    wechat.answers((request, response) => {
      const url = String(request.url);
      const values = [...new URL(url, wechat.url).searchParams.values()];
      wechatAnswer({
        errcode: 41030,
        errmsg: `no ${values.join(' ')} ${values.join('').toUpperCase()} rid: 1-2-3`,
      })(request, response);
    });
    for (const error of await allFourFailures()) {
      expectNoSecretIn(error);
      expect(error.errmsg).toContain('[redacted]');
      expect(error.requestId).toBe('1-2-3');
    }
  });

  it('holds no secret of any kind, not even one that looks like none', async () => {
    wechat.answers((request, response) => {
      const values = [...new URL(String(request.url), wechat.url).searchParams.values()].join(', ');
      wechatAnswer({ errcode: 40029, errmsg: `${values}; ${values.toUpperCase()}` })(request, response);
    });
    const client = wechat.client({ accounts: [{ appId: 'wx1', appSecret: 'se+cret/1' }] });
    const pair = { accessToken: 'acc+ess/1', openid: 'ope+nid/1' };
    const errors = await Promise.all([
      failureOf(client.authorizationCodeGrant({ code: 'co+de/123' })),
      failureOf(client.refreshTokenGrant({ refreshToken: 'refr+esh/1' })),
      failureOf(client.fetchUserInfo(pair)),
      failureOf(client.verifyAccessToken(pair)),
    ]);
    for (const error of errors) {
      expect(error.errmsg).toContain('[redacted]');
      expect(everyTextOf(error)).not.toMatch(/se\+cret|acc\+ess|ope\+nid|co\+de|refr\+esh/i);
    }
  });

  it('holds no secret where WeChat repeats the URL with its encoding', async () => {
    const code = 'short+/=?';
    wechat.answers((request, response) => {
      wechatAnswer({ errcode: 40029, errmsg: `bad url ${String(request.url)}` })(request, response);
    });
    const error = await failureOf(wechat.client().authorizationCodeGrant({ code }));
    expect(everyTextOf(error)).not.toContain('short');
    expect(everyTextOf(error)).not.toContain(APP_SECRET);
  });

  it('does not tear its own words apart where a secret is very short', async () => {
    wechat.answers(wechatAnswer({ errcode: 40029, errmsg: 'invalid code: a' }));
    const error = await failureOf(wechat.client().authorizationCodeGrant({ code: 'a' }));
    expect(error.errmsg).toBe('invalid code: [redacted]');
  });

  it('holds no token of an answer that is cut off within its JSON', async () => {
    wechat.answers(wechatAnswer(`{"access_token":"${ACCESS_TOKEN}","refresh_token":"${REFRESH_TOKEN}"`));
    for (const error of await allFourFailures()) {
      expect(error.code).toBe('malformed_response');
      expectNoSecretIn(error);
    }
  });

  it('holds no value of the field that is wrong', async () => {
    wechat.answers(
      wechatAnswer({
        access_token: ACCESS_TOKEN,
        refresh_token: REFRESH_TOKEN,
        openid: [OPENID],
        expires_in: 7200,
      }),
    );
    const error = await failureOf(wechat.client().authorizationCodeGrant({ code: CODE }));
    expect(error.message).toContain('the field openid');
    expectNoSecretIn(error);
  });

  it('holds no secret where the connection breaks, and keeps the reason', async () => {
    wechat.answers((request) => request.socket.destroy());
    for (const error of await allFourFailures()) {
      expect(error.cause).toMatchObject({ code: 'UND_ERR_SOCKET' });
      expectNoSecretIn(error);
    }
  });

  it('holds no secret where WeChat is silent', async () => {
    wechat.answers(() => undefined);
    const client = wechat.client({ requestTimeoutMs: 100 });
    const error = await failureOf(client.authorizationCodeGrant({ code: CODE }));
    expect(error.code).toBe('timeout');
    expectNoSecretIn(error);
  });

  it('holds none of the bytes that an HTTP parser choked on', async () => {
    const peer = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (request) =>
        socket.end(`HTTP/1.1 200 OK\r\nbad header ${request.toString()} ${ACCESS_TOKEN}`),
      );
    });
    await new Promise<void>((resolve) => peer.listen(0, '127.0.0.1', resolve));
    const apiBaseUrl = `http://127.0.0.1:${String((peer.address() as AddressInfo).port)}`;
    const error = await failureOf(wechat.client({ apiBaseUrl }).authorizationCodeGrant({ code: CODE }));
    expect(error.cause).toMatchObject({ name: 'HTTPParserError' });
    expectNoSecretIn(error);
    await new Promise((resolve) => peer.close(resolve));
  });
});

describe('a client that is logged', () => {
  it('shows no app secret', () => {
    expectNoSecretIn(wechat.client());
  });
});

describe('an error made by hand', () => {
  it('masks what it is told to in every text, its cause included', () => {
    const error = new WechatResponseError({
      endpoint: 'refresh',
      code: 'unreachable',
      detail: `could not GET /sns?refresh_token=${REFRESH_TOKEN.slice(0, 20)}`,
      secrets: [REFRESH_TOKEN.slice(0, 20)],
      cause: Object.assign(new Error(`at ${REFRESH_TOKEN}`), { code: 'EPIPE', path: REFRESH_TOKEN }),
    });
    expect(everyTextOf(error)).not.toContain(REFRESH_TOKEN.slice(0, 20));
    expect(error.cause).toMatchObject({
      message: expect.stringMatching(/^at (\[redacted\])+$/) as string,
      code: 'EPIPE',
    });
  });

  it('tells what went wrong at each of the addresses that were tried', () => {
    const cause = new AggregateError([
      new Error('connect ECONNREFUSED ::1:80'),
      new Error('connect ECONNREFUSED 127.0.0.1:80'),
    ]);
    const error = new WechatResponseError({ endpoint: 'auth', code: 'unreachable', cause });
    expect(error.cause).toMatchObject({
      name: 'AggregateError',
      message: 'connect ECONNREFUSED ::1:80; connect ECONNREFUSED 127.0.0.1:80',
    });
  });
});

import {
  ACCESS_TOKEN,
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

const exchange = () => wechat.client().authorizationCodeGrant({ code: CODE });

describe('a refusal by WeChat', () => {
  it('names the call, code, text, request id and cure', async () => {
    wechat.answers(
      wechatAnswer('{"errcode":40029,"errmsg":"invalid code, rid: 65c17d8c-5cf05990-781aabe9"}'),
    );
    const error = await failureOf(exchange());
    expect(error).toMatchObject({
      name: 'WechatResponseError',
      code: 'wechat_error',
      endpoint: 'token',
      errcode: 40029,
      errmsg: 'invalid code',
      requestId: '65c17d8c-5cf05990-781aabe9',
      class: 'code',
      retryable: false,
    });
    expect(error.message).toBe(
      'WeChat refused the exchange of the authorization code: errcode 40029, invalid code ' +
        '(request id 65c17d8c-5cf05990-781aabe9). Start a new authorization, a limited number of times; ' +
        'end the callback in a redirect to a URL without the code.',
    );
  });

  it.each([
    ['invalid code, hints: [ req_id: plAv90053th21 ]', 'invalid code', 'plAv90053th21'],
    ['invalid appid hint: [JUmuwa08061512]', 'invalid appid', 'JUmuwa08061512'],
    ['invalid appid rid: 65c17d8c-5cf05990-781aabe9', 'invalid appid', '65c17d8c-5cf05990-781aabe9'],
    ['invalid code', 'invalid code', undefined],
    ['用户未授权该 api', '用户未授权该 api', undefined],
    ['rid: 1-2-3', '', '1-2-3'],
    ['', '', undefined],
  ])('with the text %j is taken apart', async (text, errmsg, requestId) => {
    wechat.answers(wechatAnswer({ errcode: 40029, errmsg: text }));
    expect(await failureOf(exchange())).toMatchObject({ errmsg, requestId });
  });

  it('keeps a hostile text to one line of bounded length, and still finds the request id', async () => {
    wechat.answers(
      wechatAnswer({ errcode: 40029, errmsg: `a\r\nERROR forged\u2028${'x '.repeat(9_000)}, rid: 1-2-3` }),
    );
    const error = await failureOf(exchange());
    expect(error.errmsg).toMatch(/^a ERROR forged x x /);
    expect(error.errmsg).toHaveLength(300);
    expect(error.message).not.toMatch(/[\r\n\u2028]/);
    expect(error.requestId).toBe('1-2-3');
  });

  it.each([40029, '40029'])('is recognised with the errcode written as %j', async (errcode) => {
    wechat.answers(wechatAnswer({ errcode }));
    expect(await failureOf(exchange())).toMatchObject({ errcode: 40029, errmsg: '' });
  });

  it('is recognised beside token fields, which count for nothing then', async () => {
    wechat.answers(
      wechatAnswer({
        errcode: 40125,
        errmsg: 'invalid appsecret',
        access_token: ACCESS_TOKEN,
        expires_in: 7200,
        refresh_token: REFRESH_TOKEN,
        openid: OPENID,
      }),
    );
    expect(await failureOf(exchange())).toMatchObject({ errcode: 40125, class: 'configuration' });
  });

  it('is recognised on any HTTP status', async () => {
    wechat.answers(wechatAnswer({ errcode: 40163, errmsg: 'code been used' }, { status: 502 }));
    expect(await failureOf(exchange())).toMatchObject({ errcode: 40163, retryable: false });
  });

  it.each([
    [-1, true, 'transient'],
    [45011, true, 'quota'],
    [48001, false, 'consent'],
    [50002, false, 'user'],
    [41002, false, 'usage'],
    [424242, false, 'unknown'],
  ])('with errcode %d can be tried again: %j, being %s', async (errcode, retryable, errorClass) => {
    wechat.answers(wechatAnswer({ errcode, errmsg: 'x' }));
    expect(await failureOf(exchange())).toMatchObject({ errcode, retryable, class: errorClass });
  });

  it('with an unknown errcode still tells what WeChat said', async () => {
    wechat.answers(wechatAnswer({ errcode: 424242, errmsg: 'something new' }));
    expect((await failureOf(exchange())).message).toBe(
      'WeChat refused the exchange of the authorization code: errcode 424242, something new.',
    );
  });

  it('with 40001 is about the app secret at the exchange and about the token at the profile', async () => {
    wechat.answers(wechatAnswer({ errcode: 40001, errmsg: 'invalid credential' }));
    const client = wechat.client();
    expect(await failureOf(client.authorizationCodeGrant({ code: CODE }))).toMatchObject({
      class: 'configuration',
    });
    expect(
      await failureOf(client.fetchUserInfo({ accessToken: ACCESS_TOKEN, openid: OPENID })),
    ).toMatchObject({ class: 'token' });
  });

  it.each([
    ['the refresh of the access token', 'refresh'],
    ["the request for the user's profile", 'userinfo'],
    ['the check of the access token', 'auth'],
  ])('of %s says so', async (words, endpoint) => {
    wechat.answers(wechatAnswer({ errcode: -1, errmsg: 'system error' }));
    const client = wechat.client();
    const calls: Record<string, () => Promise<unknown>> = {
      refresh: () => client.refreshTokenGrant({ refreshToken: REFRESH_TOKEN }),
      userinfo: () => client.fetchUserInfo({ accessToken: ACCESS_TOKEN, openid: OPENID }),
      auth: () => client.verifyAccessToken({ accessToken: ACCESS_TOKEN, openid: OPENID }),
    };
    const error = await failureOf(calls[endpoint]?.() ?? Promise.resolve());
    expect(error.message).toContain(`WeChat refused ${words}: errcode -1`);
    expect(error.endpoint).toBe(endpoint);
  });
});

describe('the check of an access token', () => {
  const verify = () => wechat.client().verifyAccessToken({ accessToken: ACCESS_TOKEN, openid: OPENID });

  it.each([0, '0'])('says yes to errcode %j', async (errcode) => {
    wechat.answers(wechatAnswer({ errcode, errmsg: 'ok' }));
    await expect(verify()).resolves.toBe(true);
    expect(wechat.lastPath).toBe(`/sns/auth?access_token=${ACCESS_TOKEN}&openid=${OPENID}`);
  });

  it.each([40001, 40003, 40014, 42001, 42007])('says no to errcode %d', async (errcode) => {
    wechat.answers(wechatAnswer({ errcode, errmsg: 'x' }));
    await expect(verify()).resolves.toBe(false);
  });

  it.each([-1, 45011, 41001, 48001, 424242])('does not know on errcode %d, and says so', async (errcode) => {
    wechat.answers(wechatAnswer({ errcode, errmsg: 'x' }));
    expect(await failureOf(verify())).toMatchObject({ errcode });
  });

  it('does not take an answer without an errcode for a yes', async () => {
    wechat.answers(wechatAnswer({ errmsg: 'ok' }));
    expect(await failureOf(verify())).toMatchObject({ code: 'malformed_response' });
  });

  it('does not take a broken answer for a no', async () => {
    wechat.answers(wechatAnswer('<html>', { status: 503 }));
    expect(await failureOf(verify())).toMatchObject({ code: 'unreachable', retryable: true });
  });
});

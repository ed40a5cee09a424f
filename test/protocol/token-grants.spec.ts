import {
  ACCESS_TOKEN,
  APP_ID,
  APP_SECRET,
  CODE,
  OPENID,
  REFRESH_TOKEN,
  ScriptedWechat,
  UNIONID,
  failureOf,
  wechatAnswer,
} from './scripted-wechat.js';

let wechat: ScriptedWechat;
beforeEach(async () => {
  wechat = await ScriptedWechat.start();
});
afterEach(() => wechat.close());

const tokens = {
  access_token: ACCESS_TOKEN,
  expires_in: 7200,
  refresh_token: REFRESH_TOKEN,
  openid: OPENID,
  scope: 'snsapi_userinfo',
};

describe('the exchange of an authorization code', () => {
  it('sends what WeChat documents and reads what WeChat sends', async () => {
    wechat.answers(
      wechatAnswer(
        `{"access_token":"${ACCESS_TOKEN}","expires_in":7200,"refresh_token":"${REFRESH_TOKEN}","openid":"${OPENID}","scope":"snsapi_userinfo","unionid":"${UNIONID}"}`,
      ),
    );
    await expect(wechat.client().authorizationCodeGrant({ code: CODE })).resolves.toEqual({
      accessToken: ACCESS_TOKEN,
      expiresInMs: 7_200_000,
      refreshToken: REFRESH_TOKEN,
      openid: OPENID,
      scopes: ['snsapi_userinfo'],
      unionid: UNIONID,
      isSnapshotUser: false,
    });
    expect(wechat.requests.map(({ method, url }) => `${String(method)} ${String(url)}`)).toEqual([
      `GET /sns/oauth2/access_token?appid=${APP_ID}&secret=${APP_SECRET}&code=${CODE}&grant_type=authorization_code`,
    ]);
  });

  it.each([
    [1, true],
    ['1', true],
    [true, true],
    [0, false],
    ['0', false],
    [undefined, false],
  ])('with is_snapshotuser %j tells that the user is virtual: %j', async (is_snapshotuser, expected) => {
    wechat.answers(wechatAnswer({ ...tokens, is_snapshotuser }));
    await expect(wechat.client().authorizationCodeGrant({ code: CODE })).resolves.toMatchObject({
      isSnapshotUser: expected,
    });
  });

  it.each([undefined, '', null])('takes the unionid %j for none', async (unionid) => {
    wechat.answers(wechatAnswer({ ...tokens, unionid }));
    expect(await wechat.client().authorizationCodeGrant({ code: CODE })).not.toHaveProperty('unionid');
  });

  it('sends a code with reserved characters unharmed', async () => {
    wechat.answers(wechatAnswer(tokens));
    await wechat.client().authorizationCodeGrant({ code: 'a&secret=x#+ 中' });
    const query = new URL(wechat.lastPath ?? '', wechat.url).searchParams;
    expect(query.get('code')).toBe('a&secret=x#+ 中');
    expect(query.getAll('secret')).toEqual([APP_SECRET]);
  });

  it('uses the secret of the account that is named', async () => {
    wechat.answers(wechatAnswer(tokens));
    const client = wechat.client({
      accounts: [
        { appId: 'wx1', appSecret: 'first' },
        { appId: 'wx2', appSecret: 'second' },
      ],
    });
    await client.authorizationCodeGrant({ appId: 'wx2', code: CODE });
    expect(wechat.lastPath).toContain('?appid=wx2&secret=second&');
  });
});

describe('the refresh of an access token', () => {
  it('sends no secret, and reads the scopes with the comma WeChat leaves at their end', async () => {
    wechat.answers(
      wechatAnswer(
        `{"openid":"${OPENID}","access_token":"${ACCESS_TOKEN}","expires_in":7200,"refresh_token":"${REFRESH_TOKEN}","scope":"snsapi_base,snsapi_userinfo,"}`,
      ),
    );
    await expect(wechat.client().refreshTokenGrant({ refreshToken: REFRESH_TOKEN })).resolves.toEqual({
      accessToken: ACCESS_TOKEN,
      expiresInMs: 7_200_000,
      refreshToken: REFRESH_TOKEN,
      openid: OPENID,
      scopes: ['snsapi_base', 'snsapi_userinfo'],
      isSnapshotUser: false,
    });
    expect(wechat.lastPath).toBe(
      `/sns/oauth2/refresh_token?appid=${APP_ID}&grant_type=refresh_token&refresh_token=${REFRESH_TOKEN}`,
    );
  });
});

describe('the fields of a grant', () => {
  const grant = () => wechat.client().refreshTokenGrant({ refreshToken: REFRESH_TOKEN });

  it.each([
    ['', []],
    [undefined, []],
    [null, []],
    [',', []],
    ['snsapi_base', ['snsapi_base']],
    ['snsapi_base, snsapi_userinfo', ['snsapi_base', 'snsapi_userinfo']],
  ])('may have the scope %j', async (scope, scopes) => {
    wechat.answers(wechatAnswer({ ...tokens, scope }));
    await expect(grant()).resolves.toMatchObject({ scopes });
  });

  it.each([
    [7200, 7_200_000],
    ['7200', 7_200_000],
    [1.5, 1_500],
  ])('may have expires_in %j', async (expires_in, expiresInMs) => {
    wechat.answers(wechatAnswer({ ...tokens, expires_in }));
    await expect(grant()).resolves.toMatchObject({ expiresInMs });
  });

  it.each([0, '0'])('may come with errcode %j, which is no error', async (errcode) => {
    wechat.answers(wechatAnswer({ ...tokens, errcode, errmsg: 'ok' }));
    await expect(grant()).resolves.toMatchObject({ openid: OPENID });
  });

  it.each([
    ['access_token', undefined],
    ['access_token', ''],
    ['access_token', null],
    ['access_token', 42],
    ['access_token', { toString: 'x' }],
    ['access_token', 'x'.repeat(1025)],
    ['access_token', 'with blank'],
    ['access_token', 'with\0nul'],
    ['refresh_token', undefined],
    ['refresh_token', ['x']],
    ['openid', undefined],
    ['openid', ''],
    ['openid', 42],
    ['expires_in', undefined],
    ['expires_in', 0],
    ['expires_in', -1],
    ['expires_in', 'soon'],
    ['expires_in', ''],
    ['expires_in', 1e300],
    ['expires_in', true],
    ['scope', 42],
    ['scope', ['snsapi_base']],
    ['unionid', 42],
    ['is_snapshotuser', 'maybe'],
    ['is_snapshotuser', 2],
    ['errcode', 'abc'],
    ['errcode', 1.5],
    ['errcode', {}],
  ])('is refused, by its name, if %s is %j', async (field, value) => {
    wechat.answers(wechatAnswer({ ...tokens, [field]: value }));
    const error = await failureOf(grant());
    expect(error).toMatchObject({ code: 'malformed_response', retryable: false, class: 'unknown' });
    expect(error.message).toContain(`the field ${field} is missing or not what it should be`);
    expect(error.errcode).toBeUndefined();
  });

  it('may be 1,024 characters long', async () => {
    wechat.answers(wechatAnswer({ ...tokens, access_token: 'x'.repeat(1024) }));
    await expect(grant()).resolves.toMatchObject({ accessToken: 'x'.repeat(1024) });
  });
});

import {
  ACCESS_TOKEN_LIFETIME_MS,
  callAuth,
  callRefresh,
  closeEmulators,
  DAY_MS,
  encode,
  errcodeOf,
  open,
  refresh,
  RID_AT_START,
  signIn,
  startEmulator,
  user,
} from './emulator.harness.js';

afterEach(closeEmulators);

describe('GET /sns/oauth2/refresh_token', () => {
  it('answers the keys in the order WeChat sends them', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_base');
    const page = await callRefresh(wechat, { refresh_token: tokens.refresh_token });

    expect(page.headers.get('content-type')).toBe('text/plain');
    expect(page.text).toBe(
      `{"openid":"${user(wechat).openid}","access_token":"${tokens.access_token}","expires_in":7200,"refresh_token":"${tokens.refresh_token}","scope":"snsapi_base"}`,
    );
  });

  it('gives a living access token another 7200 seconds', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_base');

    await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
    expect((await refresh(wechat, tokens)).access_token).toBe(tokens.access_token);
    await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(0);
    await wechat.advanceTime(1);
    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(42001);
  });

  it('gives a new access token after the old one has expired, and the old one stays dead', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_base');
    await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
    const refreshed = await refresh(wechat, tokens);

    expect(refreshed.access_token).not.toBe(tokens.access_token);
    expect(refreshed.refresh_token).toBe(tokens.refresh_token);
    expect(errcodeOf(await callAuth(wechat, refreshed))).toBe(0);
    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(40001);
  });

  it('never moves the end of the refresh token, which is 30 days after the sign-in', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_base');

    await wechat.advanceTime(29 * DAY_MS);
    expect((await refresh(wechat, tokens)).refresh_token).toBe(tokens.refresh_token);
    await wechat.advanceTime(DAY_MS - 1);
    expect(errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }))).toBe(0);
    await wechat.advanceTime(1);
    expect(errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }))).toBe(42002);
  });

  it('lists every scope ever granted, with a comma at the end, once the user has consented', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    expect((await refresh(wechat, tokens)).scope).toBe('snsapi_base,snsapi_userinfo,');

    const silent = await signIn(wechat, 'snsapi_base');
    expect(silent.scope).toBe('snsapi_base');
    expect((await refresh(wechat, silent)).scope).toBe('snsapi_base,snsapi_userinfo,');
  });

  it('answers 42007 after the user has changed the password, and signs in again as before', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    await wechat.user(tokens.openid).changePassword();

    const page = await callRefresh(wechat, { refresh_token: tokens.refresh_token });
    expect(page.text).toMatch(
      new RegExp(
        `^\\{"errcode":42007,"errmsg":"access_token and refresh_token exception, ${RID_AT_START}"\\}$`,
      ),
    );
    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(42007);
    expect(errcodeOf(await callAuth(wechat, await signIn(wechat, 'snsapi_base')))).toBe(0);
  });

  it('answers 50002 for a user who has closed the account', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_base');
    await wechat.user(tokens.openid).deregister();

    expect(errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }))).toBe(50002);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ['no parameters at all', {}, 41002, 'appid missing'],
    ['an unknown appid and no token', { appid: 'wx0' }, 41003, 'refresh_token missing'],
    ['no grant_type', { appid: 'wx0', refresh_token: 'r' }, 40002, 'invalid grant_type'],
    [
      'an unknown appid',
      { appid: 'wx0', refresh_token: 'r', grant_type: 'refresh_token' },
      40013,
      'invalid appid',
    ],
    [
      'an unknown token',
      { appid: 'known', refresh_token: 'r', grant_type: 'refresh_token' },
      40030,
      'invalid refresh_token',
    ],
  ])('answers %s with its error', async (_case, query, errcode, errmsg) => {
    const wechat = await startEmulator({
      apps: [{ appId: 'known', appSecret: 'right', redirectDomains: ['localhost'] }],
    });
    const page = await open(`${wechat.apiBaseUrl}/sns/oauth2/refresh_token?${encode(query)}`);

    expect(page.status).toBe(200);
    expect(page.text).toMatch(
      new RegExp(`^\\{"errcode":${String(errcode)},"errmsg":"${errmsg}, ${RID_AT_START}"\\}$`),
    );
  });

  it("refuses another app's refresh token", async () => {
    const apps = ['wx0000000000000001', 'wx0000000000000002'].map((appId) => ({
      appId,
      appSecret: 'secret',
      redirectDomains: ['localhost'],
    }));
    const wechat = await startEmulator({ apps });
    const { refresh_token } = await signIn(wechat, 'snsapi_base');

    expect(errcodeOf(await callRefresh(wechat, { appid: 'wx0000000000000002', refresh_token }))).toBe(40030);
  });
});

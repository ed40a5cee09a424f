import {
  authorize,
  callAuth,
  callRefresh,
  callToken,
  closeEmulators,
  DAY_MS,
  encode,
  errcodeOf,
  firstApp,
  MINUTE_MS,
  open,
  RID_AT_START,
  signIn,
  startEmulator,
  user,
} from './emulator.harness.js';

afterEach(closeEmulators);

const TOKEN = '[0-9]+_[A-Za-z0-9_-]+';

describe('GET /sns/oauth2/access_token', () => {
  it('answers the documented keys in the order WeChat sends them, as text/plain without a charset', async () => {
    const wechat = await startEmulator();
    const page = await callToken(wechat, { code: await authorize(wechat, 'snsapi_base') });

    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/plain');
    expect(page.text).toMatch(
      new RegExp(
        `^\\{"access_token":"${TOKEN}","expires_in":7200,"refresh_token":"${TOKEN}","openid":"${user(wechat).openid}","scope":"snsapi_base"\\}$`,
      ),
    );
  });

  it('gives tokens of 110 characters that begin with a number', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_base');

    for (const token of [tokens.access_token, tokens.refresh_token]) {
      expect(token).toHaveLength(110);
      expect(token).toMatch(/^110_[A-Za-z0-9_-]+$/);
    }
    expect(tokens.access_token).not.toBe(tokens.refresh_token);
  });

  it('adds the unionid after snsapi_userinfo only', async () => {
    const wechat = await startEmulator({ users: [{ nickname: '赵', unionid: 'oUnion' }] });

    expect(await signIn(wechat, 'snsapi_base')).not.toHaveProperty('unionid');
    const page = await callToken(wechat, { code: await authorize(wechat, 'snsapi_userinfo') });
    expect(page.text).toMatch(/"scope":"snsapi_userinfo","unionid":"oUnion"\}$/);
  });

  it('answers POST with the parameters in the query as well', async () => {
    const wechat = await startEmulator();
    const { appId, appSecret } = firstApp(wechat);
    const code = await authorize(wechat, 'snsapi_base');
    const query = { appid: appId, secret: appSecret, code, grant_type: 'authorization_code' };
    const url = `${wechat.apiBaseUrl}/sns/oauth2/access_token?${encode(query)}`;

    expect((await open(url, { method: 'POST' })).text).toContain('"expires_in":7200');
    expect((await open(url, { method: 'PUT' })).status).toBe(405);
  });

  // A row is wrong in everything that the rows after it are wrong in: this is the order of the checks.
  it.each<[string, Record<string, string | undefined>, number, string]>([
    ['no parameters at all', {}, 41002, 'appid missing'],
    ['an empty appid', { appid: '' }, 41002, 'appid missing'],
    ['no secret', { appid: 'wx0' }, 41004, 'appsecret missing'],
    ['no code', { appid: 'wx0', secret: 's' }, 41008, 'missing code'],
    ['no grant_type', { appid: 'wx0', secret: 's', code: 'c' }, 40002, 'invalid grant_type'],
    [
      'a grant_type with a space',
      { appid: 'wx0', secret: 's', code: 'c', grant_type: 'authorization_code ' },
      40002,
      'invalid grant_type',
    ],
    [
      'an unknown appid',
      { appid: 'wx0', secret: 's', code: 'c', grant_type: 'authorization_code' },
      40013,
      'invalid appid',
    ],
    [
      'a wrong secret',
      { appid: 'known', secret: 's', code: 'c', grant_type: 'authorization_code' },
      40125,
      'invalid appsecret',
    ],
    [
      'an unknown code',
      { appid: 'known', secret: 'right', code: 'c', grant_type: 'authorization_code' },
      40029,
      'invalid code',
    ],
  ])('answers %s with its error on HTTP 200', async (_case, query, errcode, errmsg) => {
    const wechat = await startEmulator({
      apps: [{ appId: 'known', appSecret: 'right', redirectDomains: ['localhost'] }],
    });
    const page = await open(`${wechat.apiBaseUrl}/sns/oauth2/access_token?${encode(query)}`);

    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/plain');
    expect(page.text).toMatch(
      new RegExp(`^\\{"errcode":${String(errcode)},"errmsg":"${errmsg}, ${RID_AT_START}"\\}$`),
    );
  });

  it('exchanges a code once', async () => {
    const wechat = await startEmulator();
    const code = await authorize(wechat, 'snsapi_base');

    expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
    const again = await callToken(wechat, { code });
    expect(again.text).toMatch(
      new RegExp(`^\\{"errcode":40163,"errmsg":"code been used, ${RID_AT_START}"\\}$`),
    );
  });

  it('takes a code for five minutes and not a millisecond longer', async () => {
    const wechat = await startEmulator();
    const [first, second] = [await authorize(wechat, 'snsapi_base'), await authorize(wechat, 'snsapi_base')];

    await wechat.advanceTime(5 * MINUTE_MS - 1);
    expect(errcodeOf(await callToken(wechat, { code: first }))).toBe(0);
    await wechat.advanceTime(1);
    expect(errcodeOf(await callToken(wechat, { code: second }))).toBe(40029);
  });

  it('minds upper and lower case in a code', async () => {
    const wechat = await startEmulator();
    const code = await authorize(wechat, 'snsapi_base');

    expect(errcodeOf(await callToken(wechat, { code: code.toLowerCase() }))).toBe(40029);
    expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
  });

  it('forgets in the course of a day that a code was used', async () => {
    const wechat = await startEmulator();
    const code = await authorize(wechat, 'snsapi_base');
    await callToken(wechat, { code });
    await wechat.advanceTime(DAY_MS);
    await authorize(wechat, 'snsapi_base');

    expect(errcodeOf(await callToken(wechat, { code }))).toBe(40029);
  });

  it("refuses another app's code, and uses it up", async () => {
    const apps = ['wx0000000000000001', 'wx0000000000000002'].map((appId) => ({
      appId,
      appSecret: 'secret',
      redirectDomains: ['localhost'],
    }));
    const wechat = await startEmulator({ apps });
    const code = await authorize(wechat, 'snsapi_base');

    expect(errcodeOf(await callToken(wechat, { appid: 'wx0000000000000002', code }))).toBe(40029);
    expect(errcodeOf(await callToken(wechat, { code }))).toBe(40163);
  });

  it('leaves a code alone when the secret is wrong', async () => {
    const wechat = await startEmulator();
    const code = await authorize(wechat, 'snsapi_base');

    expect(errcodeOf(await callToken(wechat, { code, secret: 'wrong' }))).toBe(40125);
    expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
  });

  it('kills the former tokens of the user at this app, even those of a consent by a silent sign-in', async () => {
    const wechat = await startEmulator();
    const former = await signIn(wechat, 'snsapi_userinfo');
    await signIn(wechat, 'snsapi_base');

    const dead = await callAuth(wechat, former);
    expect(dead.text).toMatch(
      new RegExp(
        `^\\{"errcode":40001,"errmsg":"invalid credential, access_token is invalid or not latest, ${RID_AT_START}"\\}$`,
      ),
    );
    expect(errcodeOf(await callRefresh(wechat, { refresh_token: former.refresh_token }))).toBe(40030);
  });

  it('gives a user another openid at each app, and leaves the tokens of the other app alive', async () => {
    const apps = ['wx0000000000000001', 'wx0000000000000002'].map((appId) => ({
      appId,
      appSecret: 'secret',
      redirectDomains: ['localhost'],
    }));
    const wechat = await startEmulator({ apps });
    const first = await signIn(wechat, 'snsapi_base');
    const code = await authorize(wechat, 'snsapi_base', { appid: 'wx0000000000000002' });
    const second = JSON.parse((await callToken(wechat, { appid: 'wx0000000000000002', code })).text) as {
      openid: string;
    };

    expect(second.openid).not.toBe(first.openid);
    expect(second.openid).toBe(wechat.user(first.openid).openidAt('wx0000000000000002'));
    expect(errcodeOf(await callAuth(wechat, first))).toBe(0);
  });
});

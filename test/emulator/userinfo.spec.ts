import {
  ACCESS_TOKEN_LIFETIME_MS,
  authorizeUrl,
  callAuth,
  callRefresh,
  callToken,
  callUserInfo,
  closeEmulators,
  codeOf,
  DAY_MS,
  encode,
  errcodeOf,
  open,
  refresh,
  RID_AT_START,
  signIn,
  startEmulator,
  user,
  type Tokens,
} from './emulator.harness.js';

afterEach(closeEmulators);

describe('GET /sns/userinfo', () => {
  it('answers the profile with escaped slashes, raw UTF-8 and the fields WeChat no longer fills', async () => {
    const wechat = await startEmulator({
      users: [{ nickname: '恩爸🐼"/', headimgurl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/abc/132' }],
    });
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    const page = await callUserInfo(wechat, tokens);

    expect(page.headers.get('content-type')).toBe('text/plain');
    expect(page.text).toBe(
      `{"openid":"${tokens.openid}","nickname":"恩爸🐼\\"\\/","sex":0,"language":"","city":"","province":"","country":"","headimgurl":"https:\\/\\/thirdwx.qlogo.cn\\/mmopen\\/vi_32\\/abc\\/132","privilege":[]}`,
    );
  });

  it('adds the unionid at the end if the user has one', async () => {
    const wechat = await startEmulator({ users: [{ nickname: '赵', unionid: 'oUnion', headimgurl: '' }] });
    const page = await callUserInfo(wechat, await signIn(wechat, 'snsapi_userinfo'));

    expect(page.text).toMatch(/"headimgurl":"","privilege":\[\],"unionid":"oUnion"\}$/);
  });

  it('serves the avatars that it made up', async () => {
    const wechat = await startEmulator();
    const avatar = await open(user(wechat).headimgurl);

    expect(avatar.headers.get('content-type')).toBe('image/svg+xml');
    expect(avatar.text).toMatch(/>\s*林\s*<\/text>/);
  });

  it.each<[string, Record<string, string>, number, string]>([
    ['no parameters at all', {}, 41001, 'access_token missing'],
    ['no openid', { access_token: 'x' }, 41009, 'missing openid'],
    ['an empty openid', { access_token: 'x', openid: '' }, 41009, 'missing openid'],
    [
      'an unknown token',
      { access_token: 'x', openid: 'o' },
      40001,
      'invalid credential, access_token is invalid or not latest',
    ],
  ])('answers %s with its error, and /sns/auth does too', async (_case, query, errcode, errmsg) => {
    const wechat = await startEmulator();
    for (const path of ['/sns/userinfo', '/sns/auth']) {
      const page = await open(`${wechat.apiBaseUrl}${path}?${encode(query)}`);

      expect(page.status).toBe(200);
      expect(page.text).toMatch(
        new RegExp(`^\\{"errcode":${String(errcode)},"errmsg":"${errmsg}, ${RID_AT_START}"\\}$`),
      );
    }
  });

  it('answers 42001 from the 7200th second on', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');

    await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
    expect(errcodeOf(await callUserInfo(wechat, tokens))).toBe(0);
    await wechat.advanceTime(1);
    expect((await callUserInfo(wechat, tokens)).text).toMatch(
      /^\{"errcode":42001,"errmsg":"access_token expired, rid: /,
    );
  });

  it("answers 40003 for somebody else's openid", async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    const foreign = { ...tokens, openid: user(wechat, 1).openid };

    const page = await callUserInfo(wechat, foreign);
    expect(page.text).toMatch(
      new RegExp(`^\\{"errcode":40003,"errmsg":"invalid openid, ${RID_AT_START}"\\}$`),
    );
    expect(errcodeOf(await callAuth(wechat, foreign))).toBe(40003);
  });

  it('does not care about the openid with looseOpenid, but wants one', async () => {
    const wechat = await startEmulator({ looseOpenid: true });
    const tokens = await signIn(wechat, 'snsapi_userinfo');

    expect((await callUserInfo(wechat, { ...tokens, openid: ' ' })).text).toContain(
      `{"openid":"${tokens.openid}"`,
    );
    expect(errcodeOf(await callUserInfo(wechat, { ...tokens, openid: '' }))).toBe(41009);
  });

  it('answers 48001 to a token of snsapi_base', async () => {
    const wechat = await startEmulator();
    const page = await callUserInfo(wechat, await signIn(wechat, 'snsapi_base'));

    expect(page.text).toMatch(
      new RegExp(`^\\{"errcode":48001,"errmsg":"api unauthorized, ${RID_AT_START}"\\}$`),
    );
  });

  it.each([
    ['remembers', true, 0, 48001],
    ['does not remember', false, 48001, 48001],
  ])(
    'with grantMemory %s a consent for a later token of snsapi_base, at most 30 days',
    async (_does, grantMemory, within, after) => {
      const wechat = await startEmulator({ grantMemory });
      await signIn(wechat, 'snsapi_userinfo');

      await wechat.advanceTime(30 * DAY_MS - 1);
      const silent = await signIn(wechat, 'snsapi_base');
      expect(errcodeOf(await callUserInfo(wechat, silent))).toBe(within);
      await wechat.advanceTime(1);
      expect(errcodeOf(await callUserInfo(wechat, silent))).toBe(after);
    },
  );

  it('answers 50001 after the consent was withdrawn, 48001 to a silent token, and asks again', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    await wechat.user(tokens.openid).withdrawConsent();

    const page = await callUserInfo(wechat, tokens);
    expect(page.text).toMatch(
      new RegExp(`^\\{"errcode":50001,"errmsg":"用户未授权该api, ${RID_AT_START}"\\}$`),
    );
    expect((await refresh(wechat, tokens)).scope).toBe('snsapi_base');
    expect(errcodeOf(await callUserInfo(wechat, await signIn(wechat, 'snsapi_base')))).toBe(48001);
    expect((await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }))).location).toBeNull();
    expect(errcodeOf(await callUserInfo(wechat, await signIn(wechat, 'snsapi_userinfo')))).toBe(0);
  });

  it('tells that a user has closed the account', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    await wechat.user(tokens.openid).deregister();

    expect((await callUserInfo(wechat, tokens)).text).toContain('"nickname":"用户已经注销"');
    expect((await open(authorizeUrl(wechat))).text).toContain('用户已经注销');
  });

  it('leaves tokens and consents as they are when a user stops following', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    await wechat.user(tokens.openid).follow();
    expect(user(wechat).follows).toBe(true);
    await wechat.user(tokens.openid).unfollow();
    expect(user(wechat).follows).toBe(false);

    expect(errcodeOf(await callUserInfo(wechat, tokens))).toBe(0);
    expect(errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }))).toBe(0);
  });
});

describe('GET /sns/auth', () => {
  it('says ok for a living token, without a request id', async () => {
    const wechat = await startEmulator();
    const page = await callAuth(wechat, await signIn(wechat, 'snsapi_base'));

    expect(page.headers.get('content-type')).toBe('text/plain');
    expect(page.text).toBe('{"errcode":0,"errmsg":"ok"}');
  });
});

describe('a snapshot page', () => {
  async function signInOnSnapshotPage(wechat: Awaited<ReturnType<typeof startEmulator>>): Promise<Tokens> {
    const page = await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }));
    return JSON.parse((await callToken(wechat, { code: codeOf(page) })).text) as Tokens;
  }

  it('signs a virtual user in without asking, and says so in the tokens alone', async () => {
    const wechat = await startEmulator();
    const { openid } = user(wechat);
    await wechat.user(openid).snapshot();
    const tokens = await signInOnSnapshotPage(wechat);

    expect(Object.keys(tokens).slice(-2)).toEqual(['unionid', 'is_snapshotuser']);
    expect(tokens.is_snapshotuser).toBe(1);
    expect(tokens.openid).toMatch(/^o[\w-]{27}$/);
    expect(wechat.users.map((each) => each.openid)).not.toContain(tokens.openid);
    const profile = (await callUserInfo(wechat, tokens)).text;
    expect(profile).toContain('"nickname":"微信用户"');
    expect(profile).not.toContain('is_snapshotuser');
  });

  it('makes up another virtual user each time, all with one unionid', async () => {
    const wechat = await startEmulator();
    await wechat.user(user(wechat).openid).snapshot();
    const [first, second] = [await signInOnSnapshotPage(wechat), await signInOnSnapshotPage(wechat)];

    expect(second.openid).not.toBe(first.openid);
    expect(second.unionid).toBe(first.unionid);
  });

  it('gives way to the real consent page when the user asks for the full service', async () => {
    const wechat = await startEmulator();
    await wechat.user(user(wechat).openid).snapshot(true);
    const tokens = await signIn(wechat, 'snsapi_userinfo', { forcePopup: 'true' });

    expect(tokens.openid).toBe(user(wechat).openid);
    expect(tokens).not.toHaveProperty('is_snapshotuser');
  });

  it('comes neither for snsapi_base nor for a user who has consented, nor when it is switched off', async () => {
    const wechat = await startEmulator();
    const { openid } = user(wechat);
    await wechat.user(openid).snapshot(true);
    expect((await signIn(wechat, 'snsapi_base')).openid).toBe(openid);
    await wechat.user(openid).snapshot(false);
    expect((await signIn(wechat, 'snsapi_userinfo')).openid).toBe(openid);
    await wechat.user(openid).snapshot(true);
    expect((await signIn(wechat, 'snsapi_userinfo')).openid).toBe(openid);
  });
});

import {
  authorizeUrl,
  closeEmulators,
  defined,
  firstApp,
  open,
  startEmulator,
  user,
} from './emulator.harness.js';

afterEach(closeEmulators);

describe("the emulator's consent page", () => {
  const ask = (wechat: Awaited<ReturnType<typeof startEmulator>>, init?: RequestInit) =>
    open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }), init);

  it("names the app and the user, and carries the fields of WeChat's own form", async () => {
    const wechat = await startEmulator();
    const { text } = await ask(wechat);

    expect(text).toContain('<html lang="zh-CN">');
    expect(text).toContain(firstApp(wechat).name);
    expect(text).toContain('林小满');
    expect(text).toContain('action="/connect/oauth2/authorize_reply"');
  });

  it('needs nothing from outside and runs nothing', async () => {
    const wechat = await startEmulator();
    const page = await ask(wechat);

    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; /,
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.text).not.toMatch(/<script|<link|<img|\sstyle=|\son\w+=/);
  });

  it('shows a nickname as text whatever is in it', async () => {
    const wechat = await startEmulator({ users: [{ nickname: '<b>"&\'' }] });

    expect((await ask(wechat)).text).toContain('&#60;b&#62;&#34;&#38;&#39;');
  });

  it('lets this browser, and no other, go on as another user', async () => {
    const wechat = await startEmulator();
    const page = await ask(wechat);
    const authorizeQuery = defined(/name="authorize" value="([^"]*)"/.exec(page.text)?.[1]).replaceAll(
      '&#38;',
      '&',
    );
    const switched = await open(`${wechat.url}/emulator/switch-user`, {
      method: 'POST',
      body: new URLSearchParams({ authorize: authorizeQuery, openid: user(wechat, 2).openid }),
    });
    const cookie = defined(switched.headers.get('set-cookie')?.split(';')[0]);

    expect(switched.status).toBe(303);
    expect(`${wechat.url}${defined(switched.location)}`).toBe(
      authorizeUrl(wechat, { scope: 'snsapi_userinfo' }),
    );
    const profile = /<div class="profile">.*?<\/div>/s;
    expect(profile.exec((await ask(wechat, { headers: { cookie } })).text)?.[0]).toContain('王大力');
    expect(profile.exec((await ask(wechat)).text)?.[0]).toContain('林小满');

    await wechat.signInAs(user(wechat, 1).openid);
    expect(profile.exec((await ask(wechat, { headers: { cookie } })).text)?.[0]).toContain('陈一诺🌈');
  });

  it.each(['用户 二', 'user.one@x/1', 'o;a=b, c', '100%', '%7E', 'o.1', 'a\nb'])(
    'lets a browser go on as the user %j, and shows the avatar of that one',
    async (openid) => {
      const wechat = await startEmulator({ users: [{ nickname: '甲' }, { nickname: '乙', openid }] });
      const switched = await open(`${wechat.url}/emulator/switch-user`, {
        method: 'POST',
        body: new URLSearchParams({ openid }),
      });
      expect(switched.status).toBe(303);
      const cookie = defined(switched.headers.get('set-cookie'));
      expect(cookie).toMatch(/^wechat_emulator_user=[^;\s]+; Path=\/; HttpOnly; SameSite=Lax$/);
      const page = await ask(wechat, { headers: { cookie: defined(cookie.split(';')[0]) } });
      expect(/<div class="profile">.*?<\/div>/s.exec(page.text)?.[0]).toContain('乙');

      const { headimgurl } = user(wechat, 1);
      expect(new URL(headimgurl).href).toBe(headimgurl);
      expect((await open(headimgurl)).text).toContain('乙');
      expect((await open(headimgurl.replace(/vi_32\/.*/, 'vi_32/%zz/132'))).status).toBe(404);
    },
  );

  it('knows no other people than its own', async () => {
    const wechat = await startEmulator();
    const page = await ask(wechat, { headers: { cookie: 'wechat_emulator_user=oNobody.0' } });
    expect(page.text).toContain('林小满');

    const body = new URLSearchParams({ openid: 'oNobody' });
    expect((await open(`${wechat.url}/emulator/switch-user`, { method: 'POST', body })).status).toBe(400);
  });

  it('is where 使用完整服务 leads to, also from a request that asked for no popup', async () => {
    const wechat = await startEmulator();
    await wechat.user(user(wechat).openid).snapshot();
    await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo', forcePopup: 'false' }));
    const home = await open(wechat.url);
    const href = defined(/href="([^"]+)"\s*>使用完整服务/.exec(home.text)?.[1]).replaceAll('&#38;', '&');

    expect((await open(new URL(href, wechat.url).href)).text).toContain('name="uuid"');
  });
});

import {
  answer,
  authorizeUrl,
  closeEmulators,
  codeOf,
  DAY_MS,
  defined,
  encode,
  firstApp,
  open,
  REDIRECT_URI,
  signIn,
  startEmulator,
  user,
} from './emulator.harness.js';

afterEach(closeEmulators);

const IN_WECHAT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) MicroMessenger/8.0.22(0x18001626) NetType/WIFI';
const IN_WECOM = 'Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) wxwork/4.1.36 MicroMessenger/7.0.1';

describe('GET /connect/oauth2/authorize', () => {
  it('sends snsapi_base back at once with a code and the state', async () => {
    const wechat = await startEmulator();
    const page = await open(authorizeUrl(wechat));

    expect(page.status).toBe(302);
    expect(page.location).toMatch(
      /^http:\/\/localhost:3000\/wechat\/callback\?t=1&code=0\d1[A-Za-z0-9]{29}&state=abc123$/,
    );
  });

  it('makes codes whose four characters after the first three come again near the end', async () => {
    const wechat = await startEmulator();
    const codes = await Promise.all(
      Array.from({ length: 9 }, async () => codeOf(await open(authorizeUrl(wechat)))),
    );

    for (const code of codes) {
      expect(code).toMatch(/^0\d1([A-Za-z0-9]{4})[A-Za-z0-9]{20}\1[A-Za-z0-9]$/);
    }
    expect(new Set(codes).size).toBe(codes.length);
  });

  it.each([
    ['without a query', 'http://localhost/a', 'http://localhost/a?code=CODE&state=s'],
    ['with a query', 'http://localhost/a?b=1', 'http://localhost/a?b=1&code=CODE&state=s'],
    ['with a fragment', 'http://localhost/a#/route', 'http://localhost/a?code=CODE&state=s#/route'],
    ['with both', 'http://localhost/a?b=1#/r?c=2', 'http://localhost/a?b=1&code=CODE&state=s#/r?c=2'],
    ['with a state of its own', 'http://localhost/a?state=x', 'http://localhost/a?state=x&code=CODE&state=s'],
    ['with Chinese in it', 'http://localhost/路', 'http://localhost/%E8%B7%AF?code=CODE&state=s'],
    ['with a port', 'https://127.0.0.1:8443/a', 'https://127.0.0.1:8443/a?code=CODE&state=s'],
  ])('adds code and state to a redirect URI %s', async (_case, redirectUri, expected) => {
    const wechat = await startEmulator();
    const page = await open(authorizeUrl(wechat, { redirect_uri: redirectUri, state: 's' }));

    expect(page.location?.replace(/code=\w{32}/, 'code=CODE')).toBe(expected);
  });

  it.each<[string, string | undefined, string]>([
    ['empty', '', ''],
    ['missing', undefined, ''],
    ['of 128 bytes', 's'.repeat(128), 's'.repeat(128)],
    ['with other characters', 'a&b=c/d', 'a%26b%3Dc%2Fd'],
  ])('sends a state back that is %s', async (_case, state, expected) => {
    const wechat = await startEmulator();
    const page = await open(authorizeUrl(wechat, { state }));

    expect(defined(page.location).split('&state=')[1]).toBe(expected);
  });

  it.each<[string, Record<string, string | undefined>, string, string]>([
    ['appid is missing', { appid: undefined }, 'appid不能为空', '10012'],
    ['redirect_uri is missing', { redirect_uri: undefined }, 'redirect_uri不能为空', '10011'],
    ['scope is missing', { scope: '' }, 'scope不能为空', '10010'],
    ['the scope is unknown', { scope: 'snsapi_login' }, '此公众号并没有这些scope的权限', '10005'],
    ['the appid is unknown', { appid: 'wx0' }, 'AppID 参数错误', ''],
    ['response_type is not code', { response_type: 'token' }, '该链接无法访问', ''],
    [
      'the domain is not registered',
      { redirect_uri: 'http://example.com/' },
      'redirect_uri域名与后台配置不一致',
      '10003',
    ],
    [
      'it is a sub-domain',
      { redirect_uri: 'http://a.localhost/' },
      'redirect_uri域名与后台配置不一致',
      '10003',
    ],
    [
      'redirect_uri is no address',
      { redirect_uri: '/callback' },
      'redirect_uri域名与后台配置不一致',
      '10003',
    ],
    [
      'redirect_uri is a script',
      { redirect_uri: 'javascript:alert(1)' },
      'redirect_uri域名与后台配置不一致',
      '10003',
    ],
    ['the state has 129 bytes', { state: 's'.repeat(129) }, 'state参数过长', ''],
    ['the state has 43 Chinese characters', { state: '态'.repeat(43) }, 'state参数过长', ''],
  ])('shows a page and goes nowhere when %s', async (_case, changes, text, number) => {
    const wechat = await startEmulator();
    const page = await open(authorizeUrl(wechat, changes));

    expect(page.status).toBe(200);
    expect(page.location).toBeNull();
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.text).toContain(`<h1>${text}</h1>`);
    expect(/错误码 (\d+)/.exec(page.text)?.[1] ?? '').toBe(number);
  });

  it('refuses the appid of a website app', async () => {
    const app = { appId: 'wx1', appSecret: 's', redirectDomains: ['localhost'], kind: 'website' } as const;
    const wechat = await startEmulator({ apps: [app] });

    expect((await open(authorizeUrl(wechat))).text).toContain('错误码 10016');
  });

  it.each([
    'appid, response_type, redirect_uri, scope, state',
    'appid, redirect_uri, response_type, state, scope',
    'forcePopup, appid, redirect_uri, response_type, scope, state',
  ])('insists on the documented order of parameters, so not %s', async (order) => {
    const [strict, lenient] = [await startEmulator(), await startEmulator({ strictParameterOrder: false })];
    const values: Record<string, string> = {
      appid: firstApp(strict).appId,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'snsapi_base',
      state: 's',
      forcePopup: 'false',
    };
    const query = encode(Object.fromEntries(order.split(', ').map((name) => [name, values[name]])));

    expect((await open(`${strict.openBaseUrl}/connect/oauth2/authorize?${query}`)).text).toContain(
      '该链接无法访问',
    );
    expect((await open(`${lenient.openBaseUrl}/connect/oauth2/authorize?${query}`)).status).toBe(302);
  });

  it('refuses a redirect URI that was not encoded, whose query spills into that of WeChat', async () => {
    const wechat = await startEmulator();
    const { appId } = firstApp(wechat);
    const query = `appid=${appId}&redirect_uri=http://localhost/a?b=1&c=2&response_type=code&scope=snsapi_base&state=s`;

    expect((await open(`${wechat.openBaseUrl}/connect/oauth2/authorize?${query}`)).text).toContain(
      '该链接无法访问',
    );
  });

  it("takes what WeChat's own client adds behind the state", async () => {
    const wechat = await startEmulator();

    expect((await open(`${authorizeUrl(wechat)}&uin=MTI&key=abc&pass_ticket=x&version=1`)).status).toBe(302);
  });

  it.each([
    ['in WeChat', IN_WECHAT, 302],
    ['in a plain browser', 'Mozilla/5.0', 200],
    ['in WeCom', IN_WECOM, 200],
  ])('opens with requireWechatUserAgent %s or not at all', async (_where, userAgent, status) => {
    const wechat = await startEmulator({ requireWechatUserAgent: true });
    const page = await open(authorizeUrl(wechat), { headers: { 'user-agent': userAgent } });

    expect(page.status).toBe(status);
    expect(page.text.includes('请在微信客户端打开链接')).toBe(status === 200);
  });

  it('asks for snsapi_userinfo once in 30 days after the latest such sign-in', async () => {
    const wechat = await startEmulator();
    const ask = () => open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }));

    expect((await ask()).status).toBe(200);
    await signIn(wechat, 'snsapi_userinfo');
    await wechat.advanceTime(30 * DAY_MS - 1);
    expect((await ask()).status).toBe(302);
    await wechat.advanceTime(30 * DAY_MS - 1);
    expect((await ask()).status).toBe(302);
    await wechat.advanceTime(30 * DAY_MS);
    expect((await ask()).status).toBe(200);
  });

  it('asks again with forcePopup=true, and does not spare one user because of another', async () => {
    const wechat = await startEmulator();
    await signIn(wechat, 'snsapi_userinfo');

    expect((await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo', forcePopup: 'true' }))).status).toBe(
      200,
    );
    expect((await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo', forcePopup: 'false' }))).status).toBe(
      302,
    );
    await wechat.signInAs(user(wechat, 1).openid);
    expect((await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }))).status).toBe(200);
  });

  it('asks a follower as well, since following alone does not make it silent', async () => {
    const wechat = await startEmulator({ users: [{ nickname: '赵', follows: true }] });

    expect((await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }))).status).toBe(200);
  });
});

describe('the consent page', () => {
  const ask = (wechat: Awaited<ReturnType<typeof startEmulator>>, init?: RequestInit) =>
    open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }), init);

  it("names the app and the user, and carries the fields of WeChat's own form", async () => {
    const wechat = await startEmulator();
    const { text } = await ask(wechat);

    expect(text).toContain('<html lang="zh-CN">');
    expect(text).toContain(firstApp(wechat).name);
    expect(text).toContain('林小满');
    expect(text).toMatch(/name="uuid" value="0\d1[A-Za-z0-9]{13}"/);
    expect(text).toContain('action="/connect/oauth2/authorize_reply"');
    for (const [allow, label] of [
      ['0', '拒绝'],
      ['1', '允许'],
    ] as const) {
      expect(text).toMatch(new RegExp(`name="allow" value="${allow}"[^<]*>\\s*${label}`));
    }
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

  it('sends the user back with a code on 允许', async () => {
    const wechat = await startEmulator();
    const page = await answer(wechat, await ask(wechat), '1');

    expect(page.status).toBe(302);
    expect(page.location).toMatch(
      /^http:\/\/localhost:3000\/wechat\/callback\?t=1&code=\w{32}&state=abc123$/,
    );
  });

  it.each([
    ['authdeny', `${REDIRECT_URI}&state=abc123&code=authdeny&reason=101`],
    ['state-only', `${REDIRECT_URI}&state=abc123`],
  ] as const)('sends the user back without consent on 拒绝, with refusal %s', async (refusal, location) => {
    const wechat = await startEmulator({ refusal });
    const page = await answer(wechat, await ask(wechat), '0');

    expect(page.status).toBe(302);
    expect(page.location).toBe(location);
    expect((await ask(wechat)).status).toBe(200);
  });

  it('stays where it is on 拒绝 with refusal page', async () => {
    const wechat = await startEmulator({ refusal: 'page' });
    const page = await answer(wechat, await ask(wechat), '0');

    expect([page.status, page.location]).toEqual([200, null]);
    expect(page.text).toContain('你已拒绝授权');
  });

  it('takes one answer', async () => {
    const wechat = await startEmulator();
    const page = await ask(wechat);

    expect((await answer(wechat, page, '1')).status).toBe(302);
    expect((await answer(wechat, page, '1')).text).toContain('该链接无法访问');
  });

  it('takes the answer by GET as well', async () => {
    const wechat = await startEmulator();
    const uuid = defined(/name="uuid" value="(\w+)"/.exec((await ask(wechat)).text)?.[1]);
    const page = await open(
      `${wechat.openBaseUrl}/connect/oauth2/authorize_reply?allow=1&snsapi_userinfo=on&uuid=${uuid}`,
    );

    expect(page.location).toContain('code=');
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

  it('knows no other people than its own', async () => {
    const wechat = await startEmulator();
    const page = await ask(wechat, { headers: { cookie: 'wechat_emulator_user=oNobody.0' } });
    expect(page.text).toContain('林小满');

    const body = new URLSearchParams({ openid: 'oNobody' });
    expect((await open(`${wechat.url}/emulator/switch-user`, { method: 'POST', body })).status).toBe(400);
  });
});

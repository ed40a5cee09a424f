import type { WechatEmulator, WechatEmulatorOptions } from '../../../src/emulator/index.js';
import {
  answer,
  authorizeUrl,
  callAuth,
  callRefresh,
  callSns,
  callToken,
  callUserInfo,
  codeOf,
  encode,
  errcodeOf,
  errorBody,
  errorOn,
  MINUTE_MS,
  open,
  pathOf,
  startEmulator,
  user,
  type Page,
  type Tokens,
} from '../emulator.harness.js';
import { table, type Fact } from './fidelity.table.js';

const WEBSITE = { appId: 'wx3', appSecret: 's', redirectDomains: ['www.qq.com'], kind: 'website' } as const;
const ACCOUNT = { appId: 'wx1', appSecret: 's', redirectDomains: ['account.example'] };
const PLATFORM = {
  appId: 'wx9',
  appSecret: 'platform token',
  redirectDomains: ['platform.example'],
  kind: 'component',
  accounts: ['wx1'],
} as const;

// https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login, unless a row is not of A.
table('a website application', [
  [
    'A',
    '/connect/qrconnect with snsapi_login shows a QR code, and 允许 leads back with code and state',
    async () => {
      const wechat = await startEmulator({ apps: [WEBSITE] });
      const page = await open(qrConnectUrl(wechat));
      expect(page.text).toContain('微信登录');
      expect(pathOf(await answer(wechat, page, '1'))).toBe('https://www.qq.com/a?code=CODE&state=s');
    },
  ],
  [
    'A',
    'lang=en behind the state is taken',
    async () => {
      const wechat = await startEmulator({ apps: [WEBSITE] });
      expect((await open(qrConnectUrl(wechat, { lang: 'en' }))).text).toContain('微信登录');
    },
  ],
  [
    'A',
    'it asks each time, whatever was allowed before',
    async () => {
      const wechat = await startEmulator({ apps: [WEBSITE] });
      await answer(wechat, await open(qrConnectUrl(wechat)), '1');
      expect((await open(qrConnectUrl(wechat))).status).toBe(200);
    },
  ],
  [
    'A, CONFLICT',
    'a refusal leads nowhere, as newer documents have it',
    async () => {
      const page = await refuseQrCode();
      expect([page.status, page.location]).toEqual([200, null]);
    },
  ],
  [
    'A, CONFLICT',
    'a refusal leads back with state alone, as older documents have it (refusal: state-only)',
    async () => {
      const { location } = await refuseQrCode({ refusal: 'state-only' });
      expect(location).toBe('https://www.qq.com/a?state=s');
    },
  ],
  [
    'A',
    'exchange, refresh, userinfo and auth are those of service accounts',
    async () => {
      const wechat = await startEmulator({ apps: [WEBSITE] });
      const page = await answer(wechat, await open(qrConnectUrl(wechat)), '1');
      const tokens = JSON.parse((await callToken(wechat, { code: codeOf(page) })).text) as Tokens;
      expect(tokens.scope).toBe('snsapi_login');
      expect(errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }))).toBe(0);
      expect((await callUserInfo(wechat, tokens)).text).toContain('"nickname":"林小满"');
      expect(errcodeOf(await callAuth(wechat, tokens))).toBe(0);
    },
  ],
  [
    'B',
    'an unregistered domain has no number here: 该链接无法访问',
    async () => {
      const wechat = await startEmulator({ apps: [WEBSITE] });
      const page = await open(qrConnectUrl(wechat, { redirect_uri: 'https://example.com/' }));
      expect(errorOn(page)).toEqual(['该链接无法访问']);
    },
  ],
  [
    'B',
    'the appid of a service account is refused: Scope 参数错误或没有 Scope 权限',
    async () => {
      const wechat = await startEmulator({ apps: [{ ...ACCOUNT, redirectDomains: ['www.qq.com'] }] });
      expect(errorOn(await open(qrConnectUrl(wechat)))).toEqual(['Scope 参数错误或没有 Scope 权限']);
    },
  ],
  [
    'B',
    'the scope of service accounts is refused: Scope 参数错误或没有 Scope 权限',
    async () => {
      const wechat = await startEmulator({ apps: [WEBSITE] });
      const page = await open(qrConnectUrl(wechat, { scope: 'snsapi_userinfo' }));
      expect(errorOn(page)).toEqual(['Scope 参数错误或没有 Scope 权限']);
    },
  ],
]);

/** What is wrong with a call of a third-party platform for its account. */
type Mistake = readonly [of: string, changes: Record<string, string>, errcode: number, errmsg: string];

const COMPONENT_MISTAKES: readonly Mistake[] = [
  ['no component_appid', { component_appid: '' }, 41018, 'missing component_appid'],
  ['no component_access_token', { component_access_token: '' }, 41021, 'missing component_access_token'],
  ['an unknown component_appid', { component_appid: 'wx0' }, 40013, 'invalid appid'],
  [
    'an old or wrong component_access_token',
    { component_access_token: 'old' },
    40001,
    'invalid credential, access_token is invalid or not latest',
  ],
  [
    'an account that has not authorized the platform',
    { appid: 'wx2' },
    61003,
    'component is not authorized by this account',
  ],
];

// As several public SDKs have it.
table('a third-party platform (第三方平台)', [
  [
    'B',
    'with component_appid behind the state it authorizes by its own domain, and is told the appid behind code and state',
    async () => {
      const page = await authorizeForPlatform(await onPlatform());
      expect([page.status, pathOf(page)]).toEqual([
        302,
        'https://platform.example/a?code=CODE&state=s&appid=wx1',
      ]);
    },
  ],
  [
    'A',
    "the account's own domain is not enough: 10003",
    async () => {
      const page = await authorizeForPlatform(await onPlatform(), {
        redirect_uri: 'https://account.example/',
      });
      expect(errorOn(page)).toEqual(['redirect_uri域名与后台配置不一致', '10003']);
    },
  ],
  [
    'A',
    'it needs the authorization of the account: 10015',
    async () => {
      const page = await authorizeForPlatform(await onPlatform(), { appid: 'wx2' });
      expect(errorOn(page)).toEqual(['公众号未授权第三方平台，请检查授权状态', '10015']);
    },
  ],
  [
    'B',
    "it exchanges and refreshes by calls of its own, without the account's secret",
    async () => {
      const wechat = await onPlatform();
      const tokens = await exchangeForPlatform(wechat, codeOf(await authorizeForPlatform(wechat)));
      expect(JSON.parse(tokens.text)).toMatchObject({ openid: user(wechat).openid, scope: 'snsapi_base' });
      const { refresh_token } = JSON.parse(tokens.text) as Tokens;
      const refreshed = await callSns(wechat, 'oauth2/component/refresh_token', {
        appid: 'wx1',
        grant_type: 'refresh_token',
        component_appid: 'wx9',
        component_access_token: 'platform token',
        refresh_token,
      });
      expect(Object.keys(JSON.parse(refreshed.text) as object)[0]).toBe('openid');
    },
  ],
  [
    'B',
    'its tokens read the profile at the plain /sns/userinfo',
    async () => {
      const wechat = await onPlatform();
      const page = await authorizeForPlatform(wechat, { scope: 'snsapi_userinfo' });
      const exchanged = await exchangeForPlatform(wechat, codeOf(await answer(wechat, page, '1')));
      const profile = await callUserInfo(wechat, JSON.parse(exchanged.text) as Tokens);
      expect(profile.text).toContain('"nickname":"林小满"');
    },
  ],
  [
    'B',
    'it is told of snapshot pages by is_snapshotuser as well',
    async () => {
      const wechat = await onPlatform();
      await wechat.user(user(wechat).openid).snapshot();
      const page = await authorizeForPlatform(wechat, { scope: 'snsapi_userinfo' });
      expect((await exchangeForPlatform(wechat, codeOf(page))).text).toMatch(/"is_snapshotuser":1\}$/);
    },
  ],
  [
    'A',
    'its codes are not for the plain exchange: 40029',
    async () => {
      const wechat = await onPlatform();
      const code = codeOf(await authorizeForPlatform(wechat));
      expect(errcodeOf(await callToken(wechat, { appid: 'wx1', secret: 's', code }))).toBe(40029);
    },
  ],
  [
    'G',
    "the account's own codes are not for its exchange: 40029",
    async () => {
      const wechat = await onPlatform();
      const page = await open(authorizeUrl(wechat, { redirect_uri: 'https://account.example/' }));
      expect(errcodeOf(await exchangeForPlatform(wechat, codeOf(page)))).toBe(40029);
    },
  ],
  [
    'C',
    'its codes live 10 minutes',
    async () => {
      const wechat = await onPlatform();
      const codes = [codeOf(await authorizeForPlatform(wechat)), codeOf(await authorizeForPlatform(wechat))];
      await wechat.advanceTime(10 * MINUTE_MS - 1);
      expect(errcodeOf(await exchangeForPlatform(wechat, codes[0]))).toBe(0);
      await wechat.advanceTime(1);
      expect(errcodeOf(await exchangeForPlatform(wechat, codes[1]))).toBe(40029);
    },
  ],
  ...COMPONENT_MISTAKES.flatMap(([of, changes, errcode, errmsg]) =>
    (['access_token', 'refresh_token'] as const).map((call): Fact => [
      'C',
      `/sns/oauth2/component/${call} answers ${of}: ${String(errcode)} ${errmsg}`,
      async () => {
        const wechat = await onPlatform();
        const { text } = await callSns(wechat, `oauth2/component/${call}`, {
          appid: 'wx1',
          grant_type: call === 'access_token' ? 'authorization_code' : 'refresh_token',
          code: 'x',
          refresh_token: 'x',
          component_appid: 'wx9',
          component_access_token: 'platform token',
          ...changes,
        });
        expect(text).toMatch(errorBody(errcode, errmsg));
      },
    ]),
  ),
]);

function qrConnectUrl(wechat: WechatEmulator, changes: Record<string, string> = {}): string {
  const parameters = {
    appid: wechat.apps[0]?.appId,
    redirect_uri: 'https://www.qq.com/a',
    response_type: 'code',
    scope: 'snsapi_login',
    state: 's',
    ...changes,
  };
  return `${wechat.openBaseUrl}/connect/qrconnect?${encode(parameters)}`;
}

async function refuseQrCode(options: WechatEmulatorOptions = {}): Promise<Page> {
  const wechat = await startEmulator({ apps: [WEBSITE], ...options });
  return answer(wechat, await open(qrConnectUrl(wechat)), '0');
}

function onPlatform(): Promise<WechatEmulator> {
  return startEmulator({ apps: [ACCOUNT, { ...ACCOUNT, appId: 'wx2' }, PLATFORM] });
}

function authorizeForPlatform(wechat: WechatEmulator, changes: Record<string, string> = {}): Promise<Page> {
  const parameters = { redirect_uri: 'https://platform.example/a', state: 's', component_appid: 'wx9' };
  return open(authorizeUrl(wechat, { ...parameters, ...changes }));
}

function exchangeForPlatform(wechat: WechatEmulator, code: string | undefined): Promise<Page> {
  return callSns(wechat, 'oauth2/component/access_token', {
    appid: 'wx1',
    code,
    grant_type: 'authorization_code',
    component_appid: 'wx9',
    component_access_token: 'platform token',
  });
}

import type { WechatEmulatorApp } from '../../../src/emulator/index.js';
import { authorizeUrl, errorOn, open, startEmulator } from '../emulator.harness.js';
import { table, type Fact } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html, unless a row is not of A.

interface Mistake {
  confidence: Fact[0];
  of: string;
  text: string;
  number?: string;
  changes?: Record<string, string | undefined>;
  app?: Partial<WechatEmulatorApp>;
}

const MISTAKES: readonly Mistake[] = [
  {
    confidence: 'A',
    of: 'an unregistered domain',
    text: 'redirect_uri域名与后台配置不一致',
    number: '10003',
    changes: { redirect_uri: 'http://example.com/' },
  },
  { confidence: 'A', of: 'a banned account', text: '此公众号被封禁', number: '10004', app: { banned: true } },
  {
    confidence: 'A',
    of: 'a scope that the account may not ask for',
    text: '此公众号并没有这些scope的权限',
    number: '10005',
    changes: { scope: 'snsapi_userinfo' },
    app: { scopes: ['snsapi_base'] },
  },
  {
    confidence: 'A',
    of: 'a test account whose follower the user is not',
    text: '必须关注此测试号',
    number: '10006',
    app: { kind: 'sandbox' },
  },
  {
    confidence: 'A',
    of: 'no scope',
    text: 'scope不能为空',
    number: '10010',
    changes: { scope: '' },
  },
  {
    confidence: 'A',
    of: 'no redirect_uri',
    text: 'redirect_uri不能为空',
    number: '10011',
    changes: { redirect_uri: undefined },
  },
  {
    confidence: 'A',
    of: 'no appid',
    text: 'appid不能为空',
    number: '10012',
    changes: { appid: undefined },
  },
  {
    confidence: 'A',
    of: 'a third-party platform that the account has not authorized',
    text: '公众号未授权第三方平台，请检查授权状态',
    number: '10015',
    changes: { component_appid: 'wx0' },
  },
  {
    confidence: 'A',
    of: 'the appid of a website application',
    text: '不支持微信开放平台的Appid，请使用公众号Appid',
    number: '10016',
    app: { kind: 'website' },
  },
  {
    confidence: 'A',
    of: 'the appid of a third-party platform',
    text: '不支持微信开放平台的Appid，请使用公众号Appid',
    number: '10016',
    app: { kind: 'component' },
  },
  {
    confidence: 'B',
    of: 'the scope of websites',
    text: 'Scope 参数错误或没有 Scope 权限',
    changes: { scope: 'snsapi_login' },
  },
  {
    confidence: 'B',
    of: 'a scope that does not exist',
    text: 'Scope 参数错误或没有 Scope 权限',
    changes: { scope: 'snsapi_userInfo' },
  },
  { confidence: 'G', of: 'an unknown appid', text: 'AppID 参数错误', changes: { appid: 'wx0' } },
];

table('error pages', [
  ...MISTAKES.map(({ confidence, of, text, number, changes, app }): Fact => {
    const sentence = `${of} ends at a page, on HTTP 200 and without a redirect: ${number ? `${number} ` : ''}${text}`;
    return [
      confidence,
      sentence,
      async () => {
        const apps = [{ appId: 'wx1', appSecret: 's', redirectDomains: ['localhost'], ...app }];
        const wechat = await startEmulator({ apps, users: [{ nickname: '赵' }] });
        const page = await open(authorizeUrl(wechat, changes));
        expect(errorOn(page)).toEqual(number === undefined ? [text] : [text, number]);
      },
    ];
  }),
  [
    'A',
    'too many attempts end at a page (by a fault): 10009 操作太频繁了，请稍后重试',
    async () => {
      const wechat = await startEmulator();
      await wechat.failNext('authorize', { errcode: 10009 });
      expect(errorOn(await open(authorizeUrl(wechat)))).toEqual(['操作太频繁了，请稍后重试', '10009']);
    },
  ],
  [
    'A',
    'a follower of a test account gets in',
    async () => {
      const apps = [
        { appId: 'wx1', appSecret: 's', redirectDomains: ['localhost'], kind: 'sandbox' },
      ] as const;
      const wechat = await startEmulator({ apps, users: [{ nickname: '赵', follows: true }] });
      expect((await open(authorizeUrl(wechat))).status).toBe(302);
    },
  ],
  [
    'G',
    'what is missing is noticed before what is wrong',
    async () => {
      const wechat = await startEmulator();
      const changes = { appid: 'wx0', redirect_uri: 'http://example.com/', scope: undefined };
      expect(errorOn(await open(authorizeUrl(wechat, changes)))).toEqual(['scope不能为空', '10010']);
    },
  ],
  [
    'G',
    'the page is HTML also for a client that asks for JSON',
    async () => {
      const wechat = await startEmulator();
      const page = await open(authorizeUrl(wechat, { appid: '' }), {
        headers: { accept: 'application/json' },
      });
      expect(errorOn(page)).toEqual(['appid不能为空', '10012']);
    },
  ],
]);

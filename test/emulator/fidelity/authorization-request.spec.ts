import { authorizeUrl, errorOn, open, pathOf, REDIRECT_URI, startEmulator } from '../emulator.harness.js';
import { table, type Fact } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/oplatform/developers/dev/auth/h5.md and
// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html, unless a row is not of A.

table('an authorization request', [
  [
    'A',
    'appid, redirect_uri, response_type, scope, state and #wechat_redirect are a whole request',
    async () => {
      const wechat = await startEmulator();
      const page = await open(`${authorizeUrl(wechat)}#wechat_redirect`);

      expect([page.status, pathOf(page)]).toEqual([302, `${REDIRECT_URI}&code=CODE&state=abc123`]);
    },
  ],
  [
    'A',
    'response_type is code and nothing else',
    async () => {
      const wechat = await startEmulator();
      expect(errorOn(await open(authorizeUrl(wechat, { response_type: 'token' })))).toEqual([
        '该链接无法访问',
      ]);
      expect(errorOn(await open(authorizeUrl(wechat, { response_type: '' })))).toEqual(['该链接无法访问']);
    },
  ],
  [
    'B',
    'parameters behind the state are taken, known or not',
    async () => {
      const wechat = await startEmulator();
      const more = { forcePopup: 'false', forceSnapShot: 'false', connect_redirect: '1', mine: 'x' };
      expect((await open(authorizeUrl(wechat, more))).status).toBe(302);
    },
  ],
  [
    'B',
    "WeChat's own client asks again with uin, key, pass_ticket and version behind the state",
    async () => {
      const wechat = await startEmulator();
      const url = `${authorizeUrl(wechat)}&uin=MTI&key=abc&pass_ticket=x%2By&version=1`;
      expect(pathOf(await open(url))).toBe(`${REDIRECT_URI}&code=CODE&state=abc123`);
    },
  ],
]);

table('state', [
  [
    'A',
    'state comes back with 128 bytes, and 129 are refused: state参数过长',
    async () => {
      expect(await stateBack('s'.repeat(128))).toBe('s'.repeat(128));
      expect(await stateBack('s'.repeat(129))).toBe('state参数过长');
    },
  ],
  [
    'G',
    'the limit of state counts bytes, not characters',
    async () => {
      expect(await stateBack('态'.repeat(42))).toBe(encodeURIComponent('态'.repeat(42)));
      expect(await stateBack('态'.repeat(43))).toBe('state参数过长');
    },
  ],
  [
    'B',
    'an empty state is accepted and comes back as state=',
    async () => expect(await stateBack('')).toBe(''),
  ],
  [
    'A',
    'letters and digits of a state come back as they are, upper and lower case',
    async () => expect(await stateBack('aZ09')).toBe('aZ09'),
  ],
  [
    'B, CONFLICT',
    'other characters of a state come back too, although letters and digits alone are documented',
    async () => expect(await stateBack('_oauth-state.6f9619ff-8b86')).toBe('_oauth-state.6f9619ff-8b86'),
  ],
  [
    'G',
    'what would break the address comes back percent-encoded in a state',
    async () => expect(await stateBack('a&b=c/d#e')).toBe('a%26b%3Dc%2Fd%23e'),
  ],
]);

const OPENS: readonly (readonly [client: string, userAgent: string])[] = [
  [
    'WeChat on iOS',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.22(0x18001626) NetType/WIFI Language/zh_CN',
  ],
  [
    'WeChat on Android',
    'Mozilla/5.0 (Linux; Android 14; V2218A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/122.0.6261.120 Mobile Safari/537.36 XWEB/1220099 MMWEBSDK/20240404 MMWEBID/4975 MicroMessenger/8.0.49.2600(0x2800315A) WeChat/arm64 Weixin NetType/5G Language/zh_CN ABI/arm64',
  ],
  [
    'a web-view of a mini program',
    'Mozilla/5.0 (Linux; Android 14; V2218A; wv) AppleWebKit/537.36 Chrome/122.0.6261.120 Mobile Safari/537.36 MicroMessenger/8.0.49.2600(0x2800315A) WeChat/arm64 Weixin miniProgram/wx5e1f0c7a9b3d2468',
  ],
  [
    'WeChat on Windows',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.0.0 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat(0x63090a13) UnifiedPCWindowsWechat(0xf2541022) XWEB/16467 Flue',
  ],
  [
    'WeChat on a Mac',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 MicroMessenger/6.8.0(0x16080000) MacWechat/3.8.7(0x13080712) NetType/WIFI WindowsWechat',
  ],
];

const STAYS_SHUT: readonly (readonly [confidence: 'B' | 'C', client: string, userAgent: string])[] = [
  ['C', 'a browser that is not WeChat', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/132.0.0.0 Safari/537.36'],
  [
    'B',
    'WeCom, which calls itself MicroMessenger as well',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) wxwork/4.1.36 MicroMessenger/7.0.1 Language/zh',
  ],
];

table('where an authorization request may come from (requireWechatUserAgent)', [
  ...OPENS.map(([client, userAgent]): Fact => [
    'B',
    `the page opens in ${client}`,
    async () => expect((await visit(userAgent)).status).toBe(302),
  ]),
  ...STAYS_SHUT.map(([confidence, client, userAgent]): Fact => [
    confidence,
    `the page asks for WeChat in ${client}, without a redirect: 请在微信客户端打开链接`,
    async () => expect(errorOn(await visit(userAgent))).toEqual(['请在微信客户端打开链接']),
  ]),
]);

/** @returns the state as it comes back, or what the page says. */
async function stateBack(state: string): Promise<string | undefined> {
  const wechat = await startEmulator();
  const page = await open(authorizeUrl(wechat, { state }));
  return page.location === null ? errorOn(page)[0] : page.location.split('&state=')[1];
}

async function visit(userAgent: string) {
  const wechat = await startEmulator({ requireWechatUserAgent: true });
  return open(authorizeUrl(wechat), { headers: { 'user-agent': userAgent } });
}

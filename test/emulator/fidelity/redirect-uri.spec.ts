import type { WechatEmulatorOptions } from '../../../src/emulator/index.js';
import { authorizeUrl, errorOn, firstApp, open, pathOf, startEmulator } from '../emulator.harness.js';
import { table, type Fact } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/oplatform/developers/dev/auth/h5.md, unless a row is not of A.

const MISMATCH = 'redirect_uri域名与后台配置不一致';

type Kind = 'service' | 'sandbox';

const DOMAINS: readonly (readonly [
  confidence: Fact[0],
  sentence: string,
  redirectUri: string,
  isTaken: boolean,
  kind?: Kind,
])[] = [
  ['A', 'a registered domain is good for http', 'http://www.qq.com/a', true],
  ['A', 'a registered domain is good for https', 'https://www.qq.com/a', true],
  ['A', 'a registered domain is good for any path', 'https://www.qq.com/cn/music/login.html', true],
  ['A', 'a registered domain is not good for another sub-domain', 'https://pay.qq.com/', false],
  ['A', 'a registered domain is not good for the domain above', 'https://qq.com/', false],
  ['A', 'a registered domain is not good for what is below it', 'https://a.www.qq.com/', false],
  ['G', 'a registered domain is good for any port', 'https://www.qq.com:8443/a', true],
  ['G', 'a registered domain is good in upper case', 'https://WWW.QQ.com/a', true],
  ['G', 'a registered domain is not good as the name of a user', 'https://www.qq.com@example.com/', false],
  ['G', 'a registered domain is not good as the end of another', 'https://evilwww.qq.com/', false],
  ['G', 'an address without scheme and host is refused', '/callback', false],
  ['G', 'an address that is a script is refused', 'javascript:alert(1)//www.qq.com', false],
  ['C', 'an account may have two domains', 'https://other.example/', true],
  ['C', 'a test account may register an address with its port', 'http://10.0.0.7:8080/a', true, 'sandbox'],
  ['C', 'a test account does not get the other ports by that', 'http://10.0.0.7:9090/a', false, 'sandbox'],
];

table(
  'the domain of a redirect URI',
  DOMAINS.map(([confidence, sentence, redirectUri, isTaken, kind = 'service']) => [
    confidence,
    isTaken ? sentence : `${sentence}: 10003`,
    async () => {
      const page = await authorizeAt(redirectUri, kind);
      if (isTaken) expect(page.status).toBe(302);
      else expect(errorOn(page)).toEqual([MISMATCH, '10003']);
    },
  ]),
);

const CALLBACKS: readonly (readonly [
  confidence: Fact[0],
  sentence: string,
  redirectUri: string,
  callback: string,
])[] = [
  [
    'B',
    'a callback carries code, then state',
    'https://www.qq.com/a',
    'https://www.qq.com/a?code=CODE&state=s',
  ],
  [
    'B',
    'a callback gets no slash more than it had',
    'https://www.qq.com/a/',
    'https://www.qq.com/a/?code=CODE&state=s',
  ],
  [
    'B',
    'code and state go behind a query',
    'https://www.qq.com/?b=1',
    'https://www.qq.com/?b=1&code=CODE&state=s',
  ],
  [
    'B',
    'code and state go before a fragment',
    'https://www.qq.com/#/r',
    'https://www.qq.com/?code=CODE&state=s#/r',
  ],
  [
    'B',
    'code and state go between query and fragment',
    'https://www.qq.com/?b=1#/r?c=2',
    'https://www.qq.com/?b=1&code=CODE&state=s#/r?c=2',
  ],
  [
    'B',
    'a state of its own comes twice',
    'https://www.qq.com/?state=own',
    'https://www.qq.com/?state=own&code=CODE&state=s',
  ],
  [
    'C',
    'a parameter named openId gets lost',
    'https://www.qq.com/?openId=o1',
    'https://www.qq.com/?code=CODE&state=s',
  ],
  [
    'C',
    'a parameter named openId gets lost among others',
    'https://www.qq.com/?a=1&openId=o1&b=2',
    'https://www.qq.com/?a=1&b=2&code=CODE&state=s',
  ],
  [
    'C',
    'a parameter named openId gets lost, and openid does not',
    'https://www.qq.com/?openid=o1',
    'https://www.qq.com/?openid=o1&code=CODE&state=s',
  ],
  [
    'G',
    'what is not ASCII comes back percent-encoded',
    'https://www.qq.com/路',
    'https://www.qq.com/%E8%B7%AF?code=CODE&state=s',
  ],
];

table('the address of a callback', [
  ...CALLBACKS.map(([confidence, sentence, redirectUri, callback]): Fact => [
    confidence,
    sentence,
    async () => expect(pathOf(await authorizeAt(redirectUri))).toBe(callback),
  ]),
  [
    'C',
    'of a redirect URI that was not encoded, the first parameter alone survives',
    async () => {
      const wechat = await startEmulator({ strictParameterOrder: false });
      const query = `appid=${firstApp(wechat).appId}&redirect_uri=http://localhost/a?b=1&c=2&response_type=code&scope=snsapi_base&state=s`;
      const page = await open(`${wechat.openBaseUrl}/connect/oauth2/authorize?${query}`);
      expect(pathOf(page)).toBe('http://localhost/a?b=1&code=CODE&state=s');
    },
  ],
  [
    'A',
    'a redirect URI that was not encoded puts the parameters out of their order: 该链接无法访问',
    async () => {
      const wechat = await startEmulator();
      const query = `appid=${firstApp(wechat).appId}&redirect_uri=http://localhost/a?b=1&c=2&response_type=code&scope=snsapi_base&state=s`;
      const page = await open(`${wechat.openBaseUrl}/connect/oauth2/authorize?${query}`);
      expect(errorOn(page)).toEqual(['该链接无法访问']);
    },
  ],
]);

async function authorizeAt(redirectUri: string, kind: Kind = 'service') {
  const redirectDomains = ['www.qq.com', 'other.example', ...(kind === 'sandbox' ? ['10.0.0.7:8080'] : [])];
  const options: WechatEmulatorOptions = {
    apps: [{ appId: 'wx1', appSecret: 's', redirectDomains, kind }],
    users: [{ nickname: '赵', follows: true }],
  };
  const wechat = await startEmulator(options);
  return open(authorizeUrl(wechat, { redirect_uri: redirectUri, state: 's' }));
}

import { connect } from 'node:net';
import type { WechatEmulator } from '../../../src/emulator/index.js';
import {
  authorize,
  callAuth,
  callRefresh,
  callSns,
  callToken,
  callUserInfo,
  errcodeOf,
  errorBody,
  firstApp,
  MINUTE_MS,
  signIn,
  START,
  startEmulator,
  type Page,
} from '../emulator.harness.js';
import { table, type Fact } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken and its neighbours
// api_snsrefreshtoken, api_snsuserinfo and api_snsauth, unless a row is not of A.

const ENDPOINTS = ['oauth2/access_token', 'oauth2/refresh_token', 'userinfo', 'auth'] as const;

table('every answer of the API', [
  [
    'B',
    'success and error come on HTTP 200, as text/plain without a charset, with their length',
    async () => {
      for (const page of [...(await successes()), ...(await failures())]) {
        expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/plain']);
        expect(page.headers.get('content-length')).toBe(String(Buffer.byteLength(page.text)));
        expect(page.headers.get('connection')).toBe('keep-alive');
        expect(page.headers.get('date')).not.toBeNull();
      }
    },
  ],
  [
    'B',
    'the type is text/plain whatever a client accepts',
    async () => {
      const wechat = await startEmulator();
      for (const accept of ['application/json', 'text/html', 'image/png']) {
        const page = await callSns(wechat, 'auth', {}, { headers: { accept } });
        expect(page.headers.get('content-type')).toBe('text/plain');
      }
    },
  ],
  [
    'B',
    'a success has no errcode, apart from that of /sns/auth',
    async () => {
      const answers = (await successes()).map(({ text }) => JSON.parse(text) as object);
      expect(answers.map((each) => 'errcode' in each)).toEqual([false, false, false, true]);
    },
  ],
  [
    'B',
    'an error is errcode, then errmsg, and nothing else',
    async () => {
      for (const { text } of await failures()) expect(text).toMatch(/^\{"errcode":\d+,"errmsg":"[^"]+"\}$/);
    },
  ],
  [
    'B',
    'an errmsg ends in ", rid: " and three times eight hexadecimal digits, of which the first are the Unix time',
    async () => {
      const wechat = await startEmulator();
      await wechat.advanceTime(90_000);
      const { text } = await callSns(wechat, 'auth', {});
      const [, seconds = ''] = /, rid: ([0-9a-f]{8})-[0-9a-f]{8}-[0-9a-f]{8}"\}$/.exec(text) ?? [];
      expect(parseInt(seconds, 16) * 1000).toBe(START.getTime() + 90_000);
    },
  ],
  [
    'B',
    'each rid is another',
    async () => {
      const wechat = await startEmulator();
      expect((await callSns(wechat, 'auth', {})).text).not.toBe((await callSns(wechat, 'auth', {})).text);
    },
  ],
  ...(['GET', 'POST'] as const).flatMap((method): Fact[] => [
    [
      method === 'GET' ? 'A' : 'C',
      `${method} is answered, with the parameters in the query`,
      async () => {
        const wechat = await startEmulator();
        for (const endpoint of ENDPOINTS) {
          expect(
            (await callSns(wechat, endpoint, { appid: 'wx0', access_token: 'x' }, { method })).text,
          ).toMatch(/^\{"errcode":410(04|03|09),/);
        }
        const { appId, appSecret } = firstApp(wechat);
        const code = await authorize(wechat, 'snsapi_base');
        const query = { appid: appId, secret: appSecret, code, grant_type: 'authorization_code' };
        expect(errcodeOf(await callSns(wechat, 'oauth2/access_token', query, { method }))).toBe(0);
      },
    ],
  ]),
]);

type Query = Record<string, string>;
/** A row is wrong in everything that the rows after it are wrong in: this is the order of the checks. */
type Mistake = readonly [confidence: Fact[0], of: string, query: Query, errcode: number, errmsg: string];

const EXCHANGE = { appid: 'wx0', secret: 'x', code: 'x' };
const EXCHANGE_MISTAKES: readonly Mistake[] = [
  ['B', 'no parameter at all', {}, 41002, 'appid missing'],
  ['G', 'an empty appid', { appid: '' }, 41002, 'appid missing'],
  ['B', 'no secret', { appid: 'wx0' }, 41004, 'appsecret missing'],
  ['B', 'no code', { appid: 'wx0', secret: 'x' }, 41008, 'missing code'],
  ['B', 'an empty code', { ...EXCHANGE, code: '' }, 41008, 'missing code'],
  ['B', 'no grant_type', EXCHANGE, 40002, 'invalid grant_type'],
  [
    'B',
    'a grant_type with a space',
    { ...EXCHANGE, grant_type: 'authorization_code ' },
    40002,
    'invalid grant_type',
  ],
  ['B', 'an unknown appid', { ...EXCHANGE, grant_type: 'authorization_code' }, 40013, 'invalid appid'],
  [
    'B',
    'a wrong secret',
    { ...EXCHANGE, appid: 'known', grant_type: 'authorization_code' },
    40125,
    'invalid appsecret',
  ],
  [
    'B',
    'a code that never was',
    { appid: 'known', secret: 'right', code: 'x', grant_type: 'authorization_code' },
    40029,
    'invalid code',
  ],
];

const REFRESH = { appid: 'wx0', refresh_token: 'x' };
const REFRESH_MISTAKES: readonly Mistake[] = [
  ['G', 'no parameter at all', {}, 41002, 'appid missing'],
  ['C', 'an unknown appid and no token', { appid: 'wx0' }, 41003, 'refresh_token missing'],
  ['G', 'no grant_type', REFRESH, 40002, 'invalid grant_type'],
  ['B', 'an unknown appid', { ...REFRESH, grant_type: 'refresh_token' }, 40013, 'invalid appid'],
  [
    'A',
    'a token that never was',
    { ...REFRESH, appid: 'known', grant_type: 'refresh_token' },
    40030,
    'invalid refresh_token',
  ],
];

const TOKEN_MISTAKES: readonly Mistake[] = [
  ['B', 'no parameter at all', {}, 41001, 'access_token missing'],
  ['G', 'no openid', { access_token: 'x' }, 41009, 'missing openid'],
  ['G', 'an empty openid', { access_token: 'x', openid: '' }, 41009, 'missing openid'],
  [
    'B',
    'a token that never was',
    { access_token: 'x', openid: 'o' },
    40001,
    'invalid credential, access_token is invalid or not latest',
  ],
];

table('the order of checks', [
  ...mistakesAt('oauth2/access_token', EXCHANGE_MISTAKES),
  ...mistakesAt('oauth2/refresh_token', REFRESH_MISTAKES),
  ...mistakesAt('userinfo', TOKEN_MISTAKES),
  ...mistakesAt('auth', TOKEN_MISTAKES),
]);

table('calls a minute', [
  [
    'A',
    'exchange, refresh and userinfo count for themselves, and answer 45011 with two spaces twice',
    async () => {
      const wechat = await startEmulator({ quotaPerMinute: 1 });
      const tokens = await signIn(wechat, 'snsapi_userinfo');
      const calls = {
        token: () => callToken(wechat, {}),
        refresh: () => callRefresh(wechat, { refresh_token: tokens.refresh_token }),
        userinfo: () => callUserInfo(wechat, tokens),
      };
      await calls.refresh();
      await calls.userinfo();
      for (const call of Object.values(calls)) {
        const text = 'api minute-quota reach limit  mustslower  retry next minute';
        expect((await call()).text).toMatch(errorBody(45011, text));
      }
    },
  ],
  [
    'A',
    'in the next minute the calls are answered again',
    async () => {
      const wechat = await startEmulator({ quotaPerMinute: 1 });
      const tokens = await signIn(wechat, 'snsapi_userinfo');
      await callUserInfo(wechat, tokens);
      expect(errcodeOf(await callUserInfo(wechat, tokens))).toBe(45011);
      await wechat.advanceTime(MINUTE_MS);
      expect(errcodeOf(await callUserInfo(wechat, tokens))).toBe(0);
    },
  ],
  [
    'A',
    'each account has calls of its own',
    async () => {
      const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's', redirectDomains: ['localhost'] }));
      const wechat = await startEmulator({ apps, quotaPerMinute: 1 });
      const answers = [];
      for (const appid of ['wx1', 'wx1', 'wx2']) answers.push(errcodeOf(await callToken(wechat, { appid })));
      expect(answers).toEqual([40029, 45011, 40029]);
    },
  ],
  [
    'A',
    'no limit of /sns/auth is documented',
    async () => {
      const wechat = await startEmulator({ quotaPerMinute: 1 });
      const tokens = await signIn(wechat, 'snsapi_base');
      expect(errcodeOf(await callAuth(wechat, tokens))).toBe(0);
      expect(errcodeOf(await callAuth(wechat, tokens))).toBe(0);
    },
  ],
  [
    'A, CONFLICT',
    'the limit is 50,000 a minute, where an older page has 10,000 for exchanges (quotaPerMinute)',
    async () => {
      const [usual, older] = [await startEmulator(), await startEmulator({ quotaPerMinute: 10_000 })];
      expect((await exchangeTimes(50_001, usual)).slice(-2)).toEqual([40029, 45011]);
      expect((await exchangeTimes(10_001, older)).slice(-2)).toEqual([40029, 45011]);
    },
  ],
  [
    'G',
    'with quotaPerMinute false there is no limit',
    async () => {
      const wechat = await startEmulator({ quotaPerMinute: false });
      expect((await exchangeTimes(50_001, wechat)).at(-1)).toBe(40029);
    },
  ],
]);

function mistakesAt(endpoint: (typeof ENDPOINTS)[number], mistakes: readonly Mistake[]): Fact[] {
  return mistakes.map(([confidence, of, query, errcode, errmsg]) => [
    confidence,
    `/sns/${endpoint} answers ${of}: ${String(errcode)} ${errmsg}`,
    async () => {
      const apps = [{ appId: 'known', appSecret: 'right', redirectDomains: ['localhost'] }];
      const wechat = await startEmulator({ apps });
      expect((await callSns(wechat, endpoint, query)).text).toMatch(errorBody(errcode, errmsg));
    },
  ]);
}

async function successes(): Promise<Page[]> {
  const wechat = await startEmulator();
  const page = await callToken(wechat, { code: await authorize(wechat, 'snsapi_userinfo') });
  const tokens = JSON.parse(page.text) as { access_token: string; refresh_token: string; openid: string };
  return [
    page,
    await callRefresh(wechat, { refresh_token: tokens.refresh_token }),
    await callUserInfo(wechat, tokens),
    await callAuth(wechat, tokens),
  ];
}

async function failures(): Promise<Page[]> {
  const wechat = await startEmulator();
  return Promise.all(ENDPOINTS.map((endpoint) => callSns(wechat, endpoint, {})));
}

/** One connection, and no waiting for answers. @returns the errcodes. */
async function exchangeTimes(times: number, wechat: WechatEmulator): Promise<number[]> {
  const { appId, appSecret } = firstApp(wechat);
  const path = `/sns/oauth2/access_token?appid=${appId}&secret=${appSecret}&code=x&grant_type=authorization_code`;
  const socket = connect(Number(new URL(wechat.url).port), '127.0.0.1');
  const request = `GET ${path} HTTP/1.1\r\nhost: wechat\r\n\r\n`;
  const last = `GET ${path} HTTP/1.1\r\nhost: wechat\r\nconnection: close\r\n\r\n`;
  socket.end(request.repeat(times - 1) + last);
  let answers = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) answers += chunk.toString();
  return [...answers.matchAll(/"errcode":(\d+)/g)].map(([, errcode]) => Number(errcode));
}

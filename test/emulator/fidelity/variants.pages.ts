import type {
  WechatEmulator,
  WechatEmulatorOptions,
  WechatEmulatorVariants,
} from '../../../src/emulator/index.js';
import {
  answer,
  askForProfile,
  authorizeUrl,
  DAY_MS,
  encode,
  errorOn,
  firstApp,
  open,
  pathOf,
  REDIRECT_URI,
  signIn,
  startEmulator,
  type Page,
} from '../emulator.harness.js';
import type { Fact } from './fidelity.table.js';

const WRONG_ORDERS = [
  'appid, response_type, redirect_uri, scope, state',
  'appid, redirect_uri, response_type, state, scope',
  'forcePopup, appid, redirect_uri, response_type, scope, state',
];

/** Both sides of each option about the pages of open.weixin.qq.com. The first row of each is the default. */
export const PAGE_VARIANTS = {
  strictParameterOrder: [
    [
      'A, CONFLICT',
      'true: parameters in another order than the documented one end at a page',
      async () => {
        const wechat = await startEmulator();
        for (const order of WRONG_ORDERS) {
          expect(errorOn(await authorizeInOrder(wechat, order))).toEqual(['该链接无法访问']);
        }
      },
    ],
    [
      'C, CONFLICT',
      'false: phones take them in any order',
      async () => {
        const wechat = await startEmulator({ strictParameterOrder: false });
        for (const order of WRONG_ORDERS) {
          expect(pathOf(await authorizeInOrder(wechat, order))).toBe(`${REDIRECT_URI}&code=CODE&state=s`);
        }
      },
    ],
  ],
  requireState: [
    [
      'A, CONFLICT',
      'false: state may be left out',
      async () => {
        const wechat = await startEmulator();
        expect((await open(authorizeUrl(wechat, { state: undefined }))).status).toBe(302);
      },
    ],
    [
      'A, CONFLICT',
      'true: state may be empty, and left out is 10013 state不能为空',
      async () => {
        const wechat = await startEmulator({ requireState: true });
        expect(errorOn(await open(authorizeUrl(wechat, { state: undefined })))).toEqual([
          'state不能为空',
          '10013',
        ]);
        expect((await open(authorizeUrl(wechat, { state: '' }))).status).toBe(302);
      },
    ],
  ],
  consentLifetimeMs: [
    ['A', '30 days: so long a consent spares the user the next one', () => expectAskedAfter(30 * DAY_MS, {})],
    ['G', 'any other time', () => expectAskedAfter(7 * DAY_MS, { consentLifetimeMs: 7 * DAY_MS })],
  ],
  refusal: [
    [
      'B, CONFLICT',
      'authdeny: 拒绝 leads back with state, code=authdeny and reason',
      async () =>
        expect((await refuse({})).location).toBe(`${REDIRECT_URI}&state=abc123&code=authdeny&reason=101`),
    ],
    [
      'A, CONFLICT',
      'state-only: 拒绝 leads back with state alone',
      async () =>
        expect((await refuse({ refusal: 'state-only' })).location).toBe(`${REDIRECT_URI}&state=abc123`),
    ],
    [
      'G, CONFLICT',
      'page: 拒绝 leads nowhere',
      async () => expect((await refuse({ refusal: 'page' })).location).toBeNull(),
    ],
  ],
} satisfies Partial<Record<keyof WechatEmulatorVariants, readonly Fact[]>>;

function authorizeInOrder(wechat: WechatEmulator, order: string): Promise<Page> {
  const values: Record<string, string> = {
    appid: firstApp(wechat).appId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'snsapi_base',
    state: 's',
    forcePopup: 'false',
  };
  const query = encode(Object.fromEntries(order.split(', ').map((name) => [name, values[name]])));
  return open(`${wechat.openBaseUrl}/connect/oauth2/authorize?${query}`);
}

async function expectAskedAfter(ms: number, options: WechatEmulatorOptions): Promise<void> {
  const wechat = await startEmulator(options);
  await signIn(wechat, 'snsapi_userinfo');
  await wechat.advanceTime(ms - 1);
  expect((await askForProfile(wechat)).status).toBe(302);
  // That was an authorization as well.
  await wechat.advanceTime(ms);
  expect((await askForProfile(wechat)).status).toBe(200);
}

async function refuse(options: WechatEmulatorOptions): Promise<Page> {
  const wechat = await startEmulator(options);
  return answer(wechat, await askForProfile(wechat), '0');
}

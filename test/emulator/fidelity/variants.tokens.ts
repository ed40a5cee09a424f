import type { WechatEmulatorOptions, WechatEmulatorVariants } from '../../../src/emulator/index.js';
import {
  answer,
  authorize,
  authorizeUrl,
  callAuth,
  callRefresh,
  callToken,
  codeOf,
  DAY_MS,
  errcodeOf,
  errorBody,
  firstApp,
  MINUTE_MS,
  open,
  refresh,
  signIn,
  startEmulator,
  type Page,
} from '../emulator.harness.js';
import type { Fact } from './fidelity.table.js';

const WEBSITE = { appId: 'wx3', appSecret: 's', redirectDomains: ['localhost'], kind: 'website' } as const;

/** Both sides of each option about the life of codes and tokens. The first row of each is the default. */
export const TOKEN_VARIANTS = {
  codeLifetimeMs: [
    [
      'A, CONFLICT',
      "5 minutes: so long a service account's code lives",
      () => expectCodeLife(5 * MINUTE_MS, {}),
    ],
    [
      'A, CONFLICT',
      "10 minutes: so long a website's code lives",
      () => expectCodeLife(10 * MINUTE_MS, { apps: [WEBSITE] }),
    ],
    ['G', 'any other time', () => expectCodeLife(2 * 60 * MINUTE_MS, { codeLifetimeMs: 2 * 60 * MINUTE_MS })],
  ],
  failedExchangeBurnsCode: [
    [
      'C',
      'true: an exchange that fails uses the code up, so 40029 at first and 40163 from then on',
      async () => expect(await exchangeElsewhereThenHere({})).toEqual([40029, 40163]),
    ],
    [
      'G',
      'false: it does not',
      async () =>
        expect(await exchangeElsewhereThenHere({ failedExchangeBurnsCode: false })).toEqual([40029, 0]),
    ],
  ],
  refreshTokenLifetimeMs: [
    ['A, CONFLICT', '30 days: so long a refresh token lives', () => expectRefreshTokenLife(30 * DAY_MS, {})],
    [
      'A, CONFLICT',
      '180 days: so long it lives for mobile applications',
      () => expectRefreshTokenLife(180 * DAY_MS, { refreshTokenLifetimeMs: 180 * DAY_MS }),
    ],
  ],
  slidingRefreshToken: [
    [
      'A, CONFLICT',
      'false: a refresh does not move the end of the refresh token (无法续期)',
      async () => expect(await refreshAfterRefresh({})).toBe(42002),
    ],
    [
      'A, CONFLICT',
      "true: a refresh does, as Tencent's own sample of 2017 has it",
      async () => expect(await refreshAfterRefresh({ slidingRefreshToken: true })).toBe(0),
    ],
  ],
  refreshKeepsAccessToken: [
    [
      'A',
      'true: a refresh before the end of the access token answers the same one',
      async () => {
        const wechat = await startEmulator();
        const tokens = await signIn(wechat, 'snsapi_base');
        expect((await refresh(wechat, tokens)).access_token).toBe(tokens.access_token);
      },
    ],
    [
      'G',
      'false: it answers a new one, and the former is dead',
      async () => {
        const wechat = await startEmulator({ refreshKeepsAccessToken: false });
        const tokens = await signIn(wechat, 'snsapi_base');
        const refreshed = await refresh(wechat, tokens);
        expect(refreshed.access_token).not.toBe(tokens.access_token);
        expect(errcodeOf(await callAuth(wechat, refreshed))).toBe(0);
        expect(errcodeOf(await callAuth(wechat, tokens))).toBe(40001);
      },
    ],
  ],
  supersededRefreshToken: [
    [
      'G, CONFLICT',
      '40030: a refresh token that an authorization has replaced is invalid',
      async () =>
        expect((await refreshSuperseded({})).text).toMatch(errorBody(40030, 'invalid refresh_token')),
    ],
    [
      'C, CONFLICT',
      '42002: it has expired',
      async () =>
        expect((await refreshSuperseded({ supersededRefreshToken: 42002 })).text).toMatch(
          errorBody(42002, 'refresh_token expired'),
        ),
    ],
  ],
} satisfies Partial<Record<keyof WechatEmulatorVariants, readonly Fact[]>>;

async function expectCodeLife(ms: number, options: WechatEmulatorOptions): Promise<void> {
  const wechat = await startEmulator(options);
  const draw = async () => {
    if (firstApp(wechat).kind !== 'website') return authorize(wechat, 'snsapi_base');
    const url = authorizeUrl(wechat, { scope: 'snsapi_login' }).replace('oauth2/authorize', 'qrconnect');
    return codeOf(await answer(wechat, await open(url), '1'));
  };
  const [first, second] = [await draw(), await draw()];
  await wechat.advanceTime(ms - 1);
  // A further code sweeps out those that are over.
  await draw();
  expect(errcodeOf(await callToken(wechat, { code: first }))).toBe(0);
  await wechat.advanceTime(1);
  expect(errcodeOf(await callToken(wechat, { code: second }))).toBe(40029);
}

/** @returns what the exchange by another account answers, and then that by the right one. */
async function exchangeElsewhereThenHere(options: WechatEmulatorOptions): Promise<number[]> {
  const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's', redirectDomains: ['localhost'] }));
  const wechat = await startEmulator({ apps, ...options });
  const code = await authorize(wechat, 'snsapi_base');
  const elsewhere = errcodeOf(await callToken(wechat, { appid: 'wx2', code }));
  return [elsewhere, errcodeOf(await callToken(wechat, { code }))];
}

async function expectRefreshTokenLife(ms: number, options: WechatEmulatorOptions): Promise<void> {
  const wechat = await startEmulator(options);
  const { refresh_token } = await signIn(wechat, 'snsapi_base');
  await wechat.advanceTime(ms - 1);
  expect(errcodeOf(await callRefresh(wechat, { refresh_token }))).toBe(0);
  await wechat.advanceTime(1);
  expect(errcodeOf(await callRefresh(wechat, { refresh_token }))).toBe(42002);
}

/** Refreshes a day before the end, and again at the end. */
async function refreshAfterRefresh(options: WechatEmulatorOptions): Promise<number> {
  const wechat = await startEmulator(options);
  const tokens = await signIn(wechat, 'snsapi_base');
  await wechat.advanceTime(29 * DAY_MS);
  await refresh(wechat, tokens);
  await wechat.advanceTime(DAY_MS);
  return errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }));
}

async function refreshSuperseded(options: WechatEmulatorOptions): Promise<Page> {
  const wechat = await startEmulator(options);
  const { refresh_token } = await signIn(wechat, 'snsapi_base');
  await signIn(wechat, 'snsapi_base');
  return callRefresh(wechat, { refresh_token });
}

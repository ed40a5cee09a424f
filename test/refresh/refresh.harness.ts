import type { WechatEmulatorRequest } from '../../src/emulator/index.js';
import { GrantRepository } from '../../src/grants/grant.repository.js';
import type { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { WechatAuthService, WechatClock, type WechatScope } from '../../src/index.js';
import type { TestInstance, TestWorld } from '../support/test-app.js';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
export const ACCESS_TOKEN_MS = 2 * HOUR_MS;

/** Signs a user in at WeChat and keeps what came of it, as a sign-in does. */
export async function grant(
  world: TestWorld,
  { app }: TestInstance,
  openid: string,
  scope: WechatScope = 'userinfo',
): Promise<WechatGrant> {
  const [account] = world.wechat.apps;
  const tokens = await world.wechat.user(openid).authorize(`snsapi_${scope}`);
  return app.get(GrantRepository, { strict: false }).saveAuthorization({
    appId: account?.appId ?? '',
    openid,
    unionid: undefined,
    scope,
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    requestedAt: app.get(WechatClock, { strict: false }).now(),
    accessTokenLifetimeMs: ACCESS_TOKEN_MS,
    refreshTokenLifetimeMs: 30 * DAY_MS,
  });
}

export async function stored({ app }: TestInstance, { appId, openid }: WechatGrant): Promise<WechatGrant> {
  const row = await app.get(GrantRepository, { strict: false }).find({ appId, openid });
  if (!row) throw new Error('There is no such grant.');
  return row;
}

export function serviceOf({ app }: TestInstance): WechatAuthService {
  return app.get(WechatAuthService, { strict: false });
}

export function accessTokenIn({ app }: TestInstance, row: WechatGrant): string {
  return app.get(GrantRepository, { strict: false }).openTokens(row).accessToken;
}

export function refreshesAt({ wechat }: TestWorld): readonly WechatEmulatorRequest[] {
  return wechat.requests.filter(({ endpoint }) => endpoint === 'refresh');
}

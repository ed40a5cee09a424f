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

/** What the database's clock says: the list of its connections goes by that. */
export async function databaseNow(world: TestWorld): Promise<Date> {
  const [clock] = await world.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return clock?.now ?? new Date(NaN);
}

/**
 * Waits until somebody has looked whether the lease of a refresh is free: who has found it taken waits.
 *
 * @param since looks before this instant of the database's do not count. Default: now.
 * @param name the application name of the connections to watch.
 */
export async function untilLeaseIsTried(world: TestWorld, since?: Date, name = ''): Promise<void> {
  since ??= await databaseNow(world);
  for (;;) {
    const seen = await world.query(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = $1 AND query_start > $2 AND state = 'idle'
         AND query ~ '^\\s*UPDATE.*SET\\s+refresh_lease_id'`,
      [name, since],
    );
    if (seen.length > 0) return;
  }
}

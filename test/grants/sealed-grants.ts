import { DataSource } from 'typeorm';
import { SystemRandomness } from '../../src/common/randomness.js';
import { Sealer, sealHeader, type SealingKey } from '../../src/common/sealer.js';
import type { WechatUserInfo } from '../../src/common/wechat-user.js';
import type { GrantKey } from '../../src/grants/grant.reader.js';
import { type GrantedAuthorization, GrantRepository } from '../../src/grants/grant.repository.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';

export const K1: SealingKey = { kid: 'k1', secret: Buffer.from('one key of 32 bytes in a test..1') };
export const K2: SealingKey = { kid: 'k2', secret: Buffer.from('one key of 32 bytes in a test..2') };
export const APP_ID = 'wx0123456789abcdef';
export const START = new Date('2026-03-01T08:00:00.123Z');

/** Keys as WECHAT_AUTH_KEYS has them. */
export function keysVariable(...keys: readonly SealingKey[]): string {
  return keys.map(({ kid, secret }) => `${kid}:${secret.toString('base64')}`).join(',');
}

/** A table of grants, and the module's own ways to read and write them under any keys. */
export class SealedGrants {
  private constructor(readonly dataSource: DataSource) {}

  static async create(url: string): Promise<SealedGrants> {
    const dataSource = await new DataSource({
      type: 'postgres',
      url,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
    }).initialize();
    await dataSource.runMigrations();
    return new SealedGrants(dataSource);
  }

  /** As an instance with these keys has it. */
  with(...keys: [SealingKey, ...SealingKey[]]): GrantRepository {
    return new GrantRepository(this.dataSource, new Sealer(keys, new SystemRandomness()));
  }

  /** Users whose tokens name them and the round; every second one has a profile. */
  async grant(key: SealingKey, openids: readonly string[], round = 0): Promise<void> {
    const grants = this.with(key);
    for (const [index, openid] of openids.entries()) {
      const row = await grants.saveAuthorization(authorization(openid, round));
      if (index % 2 === 0) await grants.saveUserInfo(row, profile(openid), START);
    }
  }

  /** Many rows by one statement; all have a profile. */
  async multiply(key: SealingKey, openids: readonly string[]): Promise<void> {
    const sealer = new Sealer([key], new SystemRandomness());
    const audience = (openid: string): string => `wechat_grant/${APP_ID}/${openid}`;
    await this.dataSource.query(
      `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
         sealed_user_info, access_token_expires_at, refresh_token_expires_at, created_at, refresh_failures, consent_popup_wanted)
       SELECT $1, r.openid, 1, 'userinfo', 'alive', 'able', r.tokens, r.userinfo, $5, $5, $5, 0, false
       FROM unnest($2::text[], $3::text[], $4::text[]) AS r(openid, tokens, userinfo)`,
      [
        APP_ID,
        openids,
        openids.map((openid) => sealer.seal('tokens', audience(openid), tokens(openid, 0))),
        openids.map((openid) => sealer.seal('userinfo', audience(openid), profile(openid))),
        START,
      ],
    );
  }

  /** What each user's row opens to with these keys: the access token, and the nickname if there is a profile. */
  async opened(...keys: [SealingKey, ...SealingKey[]]): Promise<Record<string, (string | undefined)[]>> {
    const grants = this.with(...keys);
    const opened: Record<string, (string | undefined)[]> = {};
    for (const { appId, openid } of await this.dataSource.query<GrantKey[]>(
      'SELECT app_id AS "appId", openid FROM wechat_grant ORDER BY 1, 2',
    )) {
      const row = await grants.find({ appId, openid });
      if (!row) continue;
      const { accessToken, refreshToken } = grants.openTokens(row);
      opened[openid] = [accessToken, refreshToken, grants.openUserInfo(row)?.nickname];
    }
    return opened;
  }

  /** How many texts are sealed with the key. */
  async sealedWith({ kid }: SealingKey): Promise<{ tokens: number; userinfo: number }> {
    const [counts] = await this.dataSource.query<[{ tokens: number; userinfo: number }]>(
      `SELECT count(*) FILTER (WHERE split_part(sealed_tokens, '.', 1) = $1)::int AS tokens,
         count(*) FILTER (WHERE split_part(sealed_user_info, '.', 1) = $1)::int AS userinfo FROM wechat_grant`,
      [sealHeader(kid)],
    );
    return counts;
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }
}

/** o0001, o0002, ... */
export function openids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `o${String(index + 1).padStart(5, '0')}`);
}

export function authorization(openid: string, round: number): GrantedAuthorization {
  const { at, rt } = tokens(openid, round);
  return {
    appId: APP_ID,
    openid,
    scope: 'userinfo',
    unionid: undefined,
    accessToken: at,
    refreshToken: rt,
    requestedAt: START,
    accessTokenLifetimeMs: 7_200_000,
    refreshTokenLifetimeMs: 30 * 24 * 60 * 60_000,
  };
}

function tokens(openid: string, round: number): { at: string; rt: string } {
  return { at: `ACCESS-${openid}-${round}`, rt: `REFRESH-${openid}-${round}` };
}

function profile(openid: string): WechatUserInfo {
  return {
    openid,
    nickname: `小明 of ${openid}`,
    headimgurl: '',
    sex: 0,
    language: '',
    province: '',
    city: '',
    country: '',
    privilege: [],
  };
}

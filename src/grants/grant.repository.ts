import { type DataSource, LessThanOrEqual, MoreThanOrEqual, Not, type Repository } from 'typeorm';
import { WechatError } from '../common/errors.js';
import type { GrantTimes } from '../common/options.js';
import type { Sealer } from '../common/sealer.js';
import type { WechatUserInfo } from '../common/wechat-user.js';
import { type GrantKey, GrantReader } from './grant.reader.js';
import { DEFAULT_GRANT_TIMES, SUSPICION_MS } from './grant.times.js';
import {
  type GrantedAuthorization,
  keptPairColumns,
  newGrantColumns,
  newPairColumns,
  type PairCheck,
  type TokenPair,
} from './granted-authorization.js';
import { WechatGrant } from './wechat-grant.entity.js';

export type { GrantedAuthorization, PairCheck, TokenPair } from './granted-authorization.js';

/** A writer that loses this many races against other writers of one row has met a fault, not a race. */
const MAX_WRITE_ATTEMPTS = 10;

/** So often WeChat is asked which pair it keeps, while others go on writing to the row. */
const MAX_PAIR_CHECKS = 3;

/** No sweep takes the pair up, and what a refresh under way brings does not count. */
export const NOT_KEPT_ALIVE = {
  refreshDueAt: null,
  refreshLeaseId: null,
  refreshLeaseExpiresAt: null,
} as const;

/** Reads and writes {@link WechatGrant} rows, and is the only one who opens what they keep sealed. */
export class GrantRepository {
  private readonly rows: Repository<WechatGrant>;
  private readonly reader: GrantReader;

  constructor(
    dataSource: DataSource,
    private readonly sealer: Sealer,
    private readonly times: GrantTimes = DEFAULT_GRANT_TIMES,
  ) {
    this.rows = dataSource.getRepository(WechatGrant);
    this.reader = new GrantReader(this.rows);
  }

  find(key: GrantKey): Promise<WechatGrant | null> {
    return this.reader.find(key);
  }

  /**
   * Keeps the result of an authorization. The pair replaces the one before, since WeChat has just ended that; a
   * consent is renewed by a userinfo authorization and untouched by a silent one.
   *
   * Where the user was being authorized elsewhere at the same time, WeChat is asked which pair it keeps: ours is kept if
   * it is alive, as suspect if WeChat does not say, and not at all if it is dead.
   *
   * @param check may be left out where nobody else authorizes the user: the new pair is taken for the live one.
   * @returns the row as it is then, with our pair or with the one that has ended ours.
   */
  async saveAuthorization(authorization: GrantedAuthorization, check?: PairCheck): Promise<WechatGrant> {
    let checksLeft = MAX_PAIR_CHECKS;
    for (let attempt = 0; attempt < MAX_WRITE_ATTEMPTS; attempt++) {
      const row = await this.find(authorization);
      const mustAsk = check !== undefined && row !== null && isOrderUnknown(row, authorization);
      const isAlive = !mustAsk || (checksLeft-- > 0 ? await check.isAlive() : undefined);
      const saved = await this.write(authorization, row, check, isAlive);
      if (saved) return saved;
    }
    throw new WechatError('write_conflict', 'The grant is being rewritten over and over; try again later.');
  }

  /** Keeps a profile that was read with the pair of this version, which is proof that the pair is able to. */
  async saveUserInfo(grant: WechatGrant, userInfo: WechatUserInfo, fetchedAt: Date): Promise<void> {
    const { appId, openid, pairVersion } = grant;
    await this.rows.update(
      { appId, openid },
      {
        sealedUserInfo: this.sealer.seal('userinfo', grantAudience(grant), userInfo),
        userInfoFetchedAt: fetchedAt,
        ...(userInfo.unionid !== undefined && { unionid: userInfo.unionid }),
      },
    );
    await this.rows.update(
      { appId, openid, pairVersion },
      { pairAbility: 'able', pairStatus: 'alive', pairSuspectSince: null },
    );
  }

  /**
   * Notes that WeChat refused the profile to the pair of this authorization, which is refreshed no more. From a pair that
   * came with a consent, it means that the consent has ended; from a silently issued one, only that this pair is not
   * enough. A refresh meanwhile changes nothing about that: it brings new tokens of the same authorization.
   *
   * @returns whether a consent has ended by that, and the host is to be told: once, however many have noticed.
   */
  async markUnable(grant: WechatGrant, at: Date): Promise<boolean> {
    const { appId, openid, pairVersion, pairScope, refreshTokenExpiresAt } = grant;
    const endsConsent = pairScope === 'userinfo';
    const { affected } = await this.rows.update(
      {
        appId,
        openid,
        pairVersion: MoreThanOrEqual(pairVersion),
        // Fixed by the authorization.
        pairScope,
        refreshTokenExpiresAt,
        pairAbility: Not('unable'),
      },
      {
        pairAbility: 'unable',
        ...NOT_KEPT_ALIVE,
        ...(endsConsent && { consentExpiresAt: at, consentNotice: 'required', consentReviewAt: null }),
      },
    );
    return endsConsent && affected === 1;
  }

  /**
   * Notes that WeChat rejected a token of the pair of this version: the pair is suspect at once, and dead if it is
   * rejected again five minutes later. The consent is not touched: it is about the user's will, and a silent
   * authorization brings a new pair.
   *
   * @returns whether the pair has died of it.
   */
  async markRejected({ appId, openid, pairVersion }: WechatGrant, at: Date): Promise<boolean> {
    const pair = { appId, openid, pairVersion };
    const first = await this.rows.update(
      { ...pair, pairStatus: 'alive' },
      { pairStatus: 'suspect', pairSuspectSince: at },
    );
    if (first.affected === 1) return false;
    const second = await this.rows.update(
      {
        ...pair,
        pairStatus: 'suspect',
        pairSuspectSince: LessThanOrEqual(new Date(at.getTime() - SUSPICION_MS)),
      },
      { pairStatus: 'dead', ...NOT_KEPT_ALIVE },
    );
    return second.affected === 1;
  }

  /** Notes that a sign-in has completed. @returns false if the grant was deleted meanwhile. */
  async markSignedIn({ appId, openid }: GrantKey, at: Date): Promise<boolean> {
    return (await this.rows.update({ appId, openid }, { signedInAt: at })).affected === 1;
  }

  /** @throws {SealError} if the row was sealed with a key that is not known here, or was tampered with. */
  openTokens(grant: WechatGrant): TokenPair {
    const { at, rt } = this.sealer.open('tokens', grantAudience(grant), grant.sealedTokens);
    return { accessToken: at as string, refreshToken: rt as string };
  }

  /** @throws {SealError} as {@link openTokens}. */
  openUserInfo(grant: WechatGrant): WechatUserInfo | undefined {
    if (grant.sealedUserInfo === null) return undefined;
    const { aud: _, ...userInfo } = this.sealer.open('userinfo', grantAudience(grant), grant.sealedUserInfo);
    return userInfo as unknown as WechatUserInfo;
  }

  /** @returns undefined if somebody else has written to the row since it was read. */
  private async write(
    authorization: GrantedAuthorization,
    row: WechatGrant | null,
    check: PairCheck | undefined,
    isAlive: boolean | undefined,
  ): Promise<WechatGrant | undefined> {
    if (row && isAlive === false) return this.replace(row, keptPairColumns(authorization, row, this.times));
    const { accessToken: at, refreshToken: rt } = authorization;
    const pair = newPairColumns(authorization, row, {
      sealedTokens: this.sealer.seal('tokens', grantAudience(authorization), { at, rt }),
      authorizedAt: check?.answeredAt ?? authorization.requestedAt,
      isSuspect: isAlive === undefined,
      times: this.times,
    });
    return row
      ? this.replace(row, pair)
      : this.insert(this.rows.create({ ...newGrantColumns(authorization), ...pair }));
  }

  private async insert(grant: WechatGrant): Promise<WechatGrant | undefined> {
    const result = await this.rows
      .createQueryBuilder()
      .insert()
      .values(grant)
      .orIgnore()
      .returning(['openid'])
      .execute();
    return (result.raw as unknown[]).length === 1 ? grant : undefined;
  }

  /** Writes these columns alone: the others may have changed since the row was read. */
  private async replace(row: WechatGrant, changes: Partial<WechatGrant>): Promise<WechatGrant | undefined> {
    if (Object.keys(changes).length === 0) return row;
    const { appId, openid, pairVersion } = row;
    const result = await this.rows.update({ appId, openid, pairVersion }, changes);
    return result.affected === 1 ? this.rows.merge(row, changes) : undefined;
  }
}

/** Whether the pair in the row came of an authorization that was not over when the other one was sent. */
function isOrderUnknown({ authorizedAt }: WechatGrant, { requestedAt }: GrantedAuthorization): boolean {
  return authorizedAt !== null && authorizedAt >= requestedAt;
}

/** Tokens and profiles open in the row they were sealed for, and in no other. */
export function grantAudience({ appId, openid }: GrantKey): string {
  return `wechat_grant/${appId}/${openid}`;
}

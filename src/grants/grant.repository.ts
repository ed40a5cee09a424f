import { type DataSource, LessThanOrEqual, MoreThanOrEqual, Not, type Repository } from 'typeorm';
import { WechatError } from '../common/errors.js';
import type { GrantTimes } from '../common/options.js';
import type { Sealer } from '../common/sealer.js';
import type { WechatScope, WechatUserInfo } from '../common/wechat-user.js';
import { type GrantKey, GrantReader } from './grant.reader.js';
import {
  CONSENT_LIFETIME_MS,
  consentDueAt,
  DEFAULT_GRANT_TIMES,
  refreshDueAt,
  SUSPICION_MS,
} from './grant.times.js';
import { type PairAbility, WechatGrant } from './wechat-grant.entity.js';

/** A writer that loses this many races against other writers of one row has met a fault, not a race. */
const MAX_WRITE_ATTEMPTS = 10;

export interface TokenPair {
  accessToken: string;
  refreshToken: string;
}

/** The result of an authorization, as it is to be kept. */
export interface GrantedAuthorization extends GrantKey, TokenPair {
  unionid: string | undefined;
  /** The scope that was in fact granted, which is not always the one that was asked for. */
  scope: WechatScope;
  /** Instant before the request was sent: both tokens' lives are counted from it. */
  requestedAt: Date;
  accessTokenLifetimeMs: number;
  refreshTokenLifetimeMs: number;
}

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
   */
  async saveAuthorization(authorization: GrantedAuthorization): Promise<WechatGrant> {
    for (let attempt = 0; attempt < MAX_WRITE_ATTEMPTS; attempt++) {
      const row = await this.find(authorization);
      const pair = this.authorizedPair(authorization, row);
      const saved = row
        ? await this.replace(row, pair)
        : await this.insert(this.rows.create({ ...newGrant(authorization), ...pair }));
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
        refreshDueAt: null,
        // A refresh that is under way would make it due again.
        refreshLeaseId: null,
        refreshLeaseExpiresAt: null,
        ...(endsConsent && { consentExpiresAt: at, consentNotice: 'required', consentReviewAt: null }),
      },
    );
    return endsConsent && affected === 1;
  }

  /**
   * Notes that WeChat rejected a token of the pair of this version: the pair is suspect at once, and dead if it is
   * rejected again five minutes later. The consent is not touched: it is about the user's will, and a silent
   * authorization brings a new pair.
   */
  async markRejected({ appId, openid, pairVersion }: WechatGrant, at: Date): Promise<void> {
    const pair = { appId, openid, pairVersion };
    const first = await this.rows.update(
      { ...pair, pairStatus: 'alive' },
      { pairStatus: 'suspect', pairSuspectSince: at },
    );
    if (first.affected === 1) return;
    await this.rows.update(
      {
        ...pair,
        pairStatus: 'suspect',
        pairSuspectSince: LessThanOrEqual(new Date(at.getTime() - SUSPICION_MS)),
      },
      { pairStatus: 'dead' },
    );
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

  private authorizedPair(authorization: GrantedAuthorization, row: WechatGrant | null): Partial<WechatGrant> {
    const { scope, requestedAt, unionid, accessToken, refreshToken } = authorization;
    const after = (lifetimeMs: number): Date => new Date(requestedAt.getTime() + lifetimeMs);
    const pairAbility = abilityAfter(authorization, row);
    const accessTokenExpiresAt = after(authorization.accessTokenLifetimeMs);
    const refreshTokenExpiresAt = after(authorization.refreshTokenLifetimeMs);
    const consentExpiresAt = after(CONSENT_LIFETIME_MS);
    return {
      pairVersion: (row?.pairVersion ?? 0) + 1,
      pairScope: scope,
      pairStatus: 'alive',
      pairSuspectSince: null,
      pairAbility,
      sealedTokens: this.sealer.seal('tokens', grantAudience(authorization), {
        at: accessToken,
        rt: refreshToken,
      }),
      accessTokenExpiresAt,
      refreshTokenExpiresAt,
      // A pair that cannot read the profile is of no use beyond the sign-in.
      refreshDueAt: pairAbility === 'unable' ? null : refreshDueAt(accessTokenExpiresAt, this.times),
      refreshLeaseId: null,
      refreshLeaseExpiresAt: null,
      refreshFailures: 0,
      refreshFailedAt: null,
      ...(unionid !== undefined && { unionid }),
      ...(scope === 'userinfo' && {
        consentedAt: requestedAt,
        consentExpiresAt,
        consentReviewAt: consentDueAt({ consentExpiresAt, refreshTokenExpiresAt }, this.times),
        consentNotice: null,
        consentAskedAt: null,
        consentPopupWanted: false,
      }),
    };
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

  /** Writes the pair's columns alone: the others may have changed since the row was read. */
  private async replace(row: WechatGrant, pair: Partial<WechatGrant>): Promise<WechatGrant | undefined> {
    const { appId, openid, pairVersion } = row;
    const result = await this.rows.update({ appId, openid, pairVersion }, pair);
    return result.affected === 1 ? this.rows.merge(row, pair) : undefined;
  }
}

/** Whether the user's consent to give the profile holds at this instant. */
export function isConsentLive(grant: WechatGrant, now: Date): boolean {
  return grant.consentExpiresAt !== null && now < grant.consentExpiresAt;
}

/** Whether WeChat may be asked with the pair: it is alive, or was rejected long enough ago for a second try. */
export function mayTryPair(grant: WechatGrant, now: Date): boolean {
  const { pairStatus, pairSuspectSince } = grant;
  if (pairStatus !== 'suspect' || pairSuspectSince === null) return isPairAlive(grant, now);
  return now < grant.refreshTokenExpiresAt && now.getTime() >= pairSuspectSince.getTime() + SUSPICION_MS;
}

/** Whether the pair can still bring access tokens, as far as is known. */
export function isPairAlive(grant: WechatGrant, now: Date): boolean {
  return grant.pairStatus === 'alive' && now < grant.refreshTokenExpiresAt;
}

function abilityAfter({ scope, requestedAt }: GrantedAuthorization, row: WechatGrant | null): PairAbility {
  if (scope === 'userinfo') return 'able';
  return row && isConsentLive(row, requestedAt) ? 'unknown' : 'unable';
}

function newGrant({ appId, openid, requestedAt }: GrantedAuthorization): Partial<WechatGrant> {
  return {
    appId,
    openid,
    unionid: null,
    consentedAt: null,
    consentExpiresAt: null,
    sealedUserInfo: null,
    userInfoFetchedAt: null,
    createdAt: requestedAt,
    signedInAt: null,
    consentReviewAt: null,
    consentNotice: null,
    consentAskedAt: null,
    consentPopupWanted: false,
  };
}

/** Tokens and profiles open in the row they were sealed for, and in no other. */
export function grantAudience({ appId, openid }: GrantKey): string {
  return `wechat_grant/${appId}/${openid}`;
}

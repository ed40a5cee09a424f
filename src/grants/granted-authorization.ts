import type { GrantTimes } from '../common/options.js';
import type { WechatScope } from '../common/wechat-user.js';
import type { GrantKey } from './grant.reader.js';
import { isConsentLive } from './grant.standing.js';
import { CONSENT_LIFETIME_MS, consentDueAt, refreshDueAt, SUSPICION_MS } from './grant.times.js';
import type { PairAbility, WechatGrant } from './wechat-grant.entity.js';

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

/**
 * Tells which of two authorizations of one user was WeChat's last, where nothing else does. WeChat keeps one live pair
 * for each user and account, that of the last authorization.
 */
export interface PairCheck {
  /** When WeChat's answer had arrived. */
  readonly answeredAt: Date;
  /** Asks WeChat whether the new pair is the live one. @returns undefined if WeChat does not say. */
  isAlive(): Promise<boolean | undefined>;
}

/** What is to be known of a new pair besides what WeChat answered. */
interface NewPair {
  readonly sealedTokens: string;
  readonly authorizedAt: Date;
  /** Whether it is not known to be the one that WeChat keeps. */
  readonly isSuspect: boolean;
  readonly times: GrantTimes;
}

/** What becomes of the columns about the pair when a new one replaces it. */
export function newPairColumns(
  authorization: GrantedAuthorization,
  row: WechatGrant | null,
  { sealedTokens, authorizedAt, isSuspect, times }: NewPair,
): Partial<WechatGrant> {
  const { scope, accessTokenLifetimeMs, refreshTokenLifetimeMs } = authorization;
  const pairAbility = abilityAfter(authorization, row);
  const accessTokenExpiresAt = after(authorization.requestedAt, accessTokenLifetimeMs);
  const refreshTokenExpiresAt = after(authorization.requestedAt, refreshTokenLifetimeMs);
  // A refresh settles whether a suspect pair lives.
  const dueAt = isSuspect ? after(authorizedAt, SUSPICION_MS) : refreshDueAt(accessTokenExpiresAt, times);
  return {
    pairVersion: (row?.pairVersion ?? 0) + 1,
    pairScope: scope,
    pairStatus: isSuspect ? 'suspect' : 'alive',
    pairSuspectSince: isSuspect ? authorizedAt : null,
    pairAbility,
    authorizedAt,
    sealedTokens,
    accessTokenExpiresAt,
    refreshTokenExpiresAt,
    // A pair that cannot read the profile is of no use beyond the sign-in.
    refreshDueAt: pairAbility === 'unable' ? null : dueAt,
    refreshLeaseId: null,
    refreshLeaseExpiresAt: null,
    refreshFailures: 0,
    refreshFailedAt: null,
    ...unionidColumn(authorization),
    ...(scope === 'userinfo' && consentColumns(authorization, refreshTokenExpiresAt, times)),
  };
}

/**
 * What an authorization is worth whose pair another one has ended already: the pair in the row stays, but the user has
 * consented all the same.
 */
export function keptPairColumns(
  authorization: GrantedAuthorization,
  row: WechatGrant,
  times: GrantTimes,
): Partial<WechatGrant> {
  const { scope, requestedAt } = authorization;
  const isNewestConsent = scope === 'userinfo' && (row.consentedAt === null || row.consentedAt < requestedAt);
  // A silent pair that came after the consent: one call of WeChat's tells whether it reads the profile.
  const mayBeAble = isNewestConsent && row.pairAbility === 'unable' && row.pairStatus !== 'dead';
  return {
    ...unionidColumn(authorization),
    ...(isNewestConsent && consentColumns(authorization, row.refreshTokenExpiresAt, times)),
    ...(mayBeAble && {
      pairAbility: 'unknown',
      refreshDueAt: refreshDueAt(row.accessTokenExpiresAt, times),
    }),
  };
}

/** The columns of a row that no authorization touches after the first. */
export function newGrantColumns({ appId, openid, requestedAt }: GrantedAuthorization): Partial<WechatGrant> {
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

function consentColumns(
  { requestedAt }: GrantedAuthorization,
  refreshTokenExpiresAt: Date,
  times: GrantTimes,
): Partial<WechatGrant> {
  const consentExpiresAt = after(requestedAt, CONSENT_LIFETIME_MS);
  return {
    consentedAt: requestedAt,
    consentExpiresAt,
    consentReviewAt: consentDueAt({ consentExpiresAt, refreshTokenExpiresAt }, times),
    consentNotice: null,
    consentAskedAt: null,
    consentPopupWanted: false,
  };
}

function unionidColumn({ unionid }: GrantedAuthorization): Partial<WechatGrant> {
  return unionid === undefined ? {} : { unionid };
}

function abilityAfter({ scope, requestedAt }: GrantedAuthorization, row: WechatGrant | null): PairAbility {
  if (scope === 'userinfo') return 'able';
  return row && isConsentLive(row, requestedAt) ? 'unknown' : 'unable';
}

function after(instant: Date, ms: number): Date {
  return new Date(instant.getTime() + ms);
}

import type { CodeRecord, Subject, TokenPair, WireScope } from './emulator.state.js';
import type { WechatEmulatorUser } from './emulator.types.js';
import type { WechatPlatform } from './platform.js';
import { SnsError } from './sns.errors.js';
import { createAuthorizationCode, createToken, deriveOpenid } from './tokens.js';

const CODE_LIFETIME_MS = 5 * 60_000;
/** How long a code, once used, is known as used (a guess: replays hours later have been seen to answer 40029). */
const CODE_MEMORY_MS = 60 * 60_000;
export const ACCESS_TOKEN_LIFETIME_S = 7200;
const ACCESS_TOKEN_LIFETIME_MS = ACCESS_TOKEN_LIFETIME_S * 1000;
const REFRESH_TOKEN_LIFETIME_MS = 30 * 86_400_000;

/** Authorizes a user and gives out the code that says so. */
export function issueCode(platform: WechatPlatform, appId: string, userId: string, scope: WireScope): string {
  if (scope === 'snsapi_userinfo') {
    // An authorization without a page counts too: it is the recent authorization that spares the user the page,
    // by the little that WeChat says about it.
    platform.ledger.addConsent({ appId, userId, grantedAtMs: platform.nowMs() });
  }
  return addCode(platform, appId, scope, {
    openid: platform.openidAt(appId, userId),
    userId,
    snapshot: false,
  });
}

/** Gives out a code for a virtual user, a new one each time, as a snapshot page gets it. */
export function issueSnapshotCode(platform: WechatPlatform, appId: string, userId: string): string {
  const openid = deriveOpenid('virtual', platform.draw(createAuthorizationCode));
  return addCode(platform, appId, 'snsapi_userinfo', { openid, userId, snapshot: true });
}

function addCode(platform: WechatPlatform, appId: string, scope: WireScope, subject: Subject): string {
  const { ledger } = platform;
  ledger.forgetBefore(platform.nowMs() - CODE_MEMORY_MS);
  const code = platform.draw(createAuthorizationCode);
  ledger.codes.set(code, { ...subject, code, appId, scope, issuedAtMs: platform.nowMs(), used: false });
  return code;
}

/**
 * Exchanges a code for tokens. An attempt that fails uses the code up as well (one public report: 40029 first, 40163
 * from then on), and so does one by another app.
 */
export function redeemCode(platform: WechatPlatform, appId: string, code: string): TokenPair {
  const record = platform.ledger.codes.get(code);
  if (record?.used) {
    throw new SnsError(40163);
  }
  if (!record) {
    throw new SnsError(40029);
  }
  useUp(record);
  if (record.appId !== appId || platform.nowMs() >= record.issuedAtMs + CODE_LIFETIME_MS) {
    throw new SnsError(40029);
  }
  const pair: TokenPair = {
    openid: record.openid,
    userId: record.userId,
    snapshot: record.snapshot,
    appId,
    scope: record.scope,
    accessToken: platform.draw(createToken),
    accessTokenExpiresAtMs: platform.nowMs() + ACCESS_TOKEN_LIFETIME_MS,
    refreshToken: platform.draw(createToken),
    refreshTokenExpiresAtMs: platform.nowMs() + REFRESH_TOKEN_LIFETIME_MS,
    passwordChanged: false,
    consentWithdrawn: false,
  };
  platform.ledger.putPair(pair);
  return pair;
}

/** Uses up a code whose exchange WeChat lost to a failure of its own. */
export function burnCode(platform: WechatPlatform, code: string): void {
  const record = platform.ledger.codes.get(code);
  if (record) {
    useUp(record);
  }
}

function useUp(record: CodeRecord): void {
  record.used = true;
}

/**
 * Gives an access token another 7200 s; a new one only if the old one has expired. The refresh token stays the same
 * and its end where it was.
 *
 * A refresh token that a later authorization replaced answers 40030: no capture shows which of 40030 and 42002 it
 * is, and 40030 is the one documented for a refresh token that is not valid.
 */
export function refreshPair(platform: WechatPlatform, appId: string, refreshToken: string): TokenPair {
  const pair = platform.ledger.pairOfRefreshToken(refreshToken);
  if (pair?.appId !== appId) {
    throw new SnsError(40030);
  }
  if (pair.passwordChanged) {
    throw new SnsError(42007);
  }
  if (platform.nowMs() >= pair.refreshTokenExpiresAtMs) {
    throw new SnsError(42002);
  }
  if (platform.userState(pair.userId).deregistered) {
    throw new SnsError(50002);
  }
  const hasExpired = platform.nowMs() >= pair.accessTokenExpiresAtMs;
  const refreshed: TokenPair = {
    ...pair,
    accessToken: hasExpired ? platform.draw(createToken) : pair.accessToken,
    accessTokenExpiresAtMs: platform.nowMs() + ACCESS_TOKEN_LIFETIME_MS,
  };
  platform.ledger.putPair(refreshed);
  return refreshed;
}

/** @returns the pair of an access token that is good at this moment. */
export function verifyAccessToken(platform: WechatPlatform, accessToken: string): TokenPair {
  const pair = platform.ledger.pairOfAccessToken(accessToken);
  if (!pair) {
    throw new SnsError(40001);
  }
  if (pair.passwordChanged) {
    throw new SnsError(42007);
  }
  if (platform.nowMs() >= pair.accessTokenExpiresAtMs) {
    throw new SnsError(42001);
  }
  return pair;
}

/** @returns the profile that a pair may read. */
export function readProfile(platform: WechatPlatform, pair: TokenPair): WechatEmulatorUser {
  // Not documented for /sns. 50001 is WeChat's word for an API the user has not allowed, 48001 for one the token
  // was never good for; so the first is for a consent that was given and taken back.
  if (pair.scope === 'snsapi_userinfo' && pair.consentWithdrawn) {
    throw new SnsError(50001);
  }
  if (pair.scope === 'snsapi_base' && !remembersConsent(platform, pair)) {
    throw new SnsError(48001);
  }
  return platform.profileOf(pair);
}

/**
 * The scope as the refresh call tells it: once the user has consented it is all that was ever granted, with a comma
 * at the end.
 */
export function accumulatedScope(platform: WechatPlatform, pair: TokenPair): string {
  const isUserinfo = pair.scope === 'snsapi_userinfo' && !pair.consentWithdrawn;
  return isUserinfo || remembersConsent(platform, pair) ? 'snsapi_base,snsapi_userinfo,' : 'snsapi_base';
}

function remembersConsent(platform: WechatPlatform, pair: TokenPair): boolean {
  return platform.settings.grantMemory && !pair.snapshot && platform.hasLiveConsent(pair.appId, pair.userId);
}

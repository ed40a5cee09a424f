import { SUSPICION_MS } from './grant.times.js';
import type { WechatGrant } from './wechat-grant.entity.js';

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

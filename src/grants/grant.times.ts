import type { GrantTimes } from '../common/options.js';

const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** How long a user's consent lasts after the user gave it, in milliseconds. */
export const CONSENT_LIFETIME_MS = 30 * DAY_MS;

/** A pair that WeChat rejected is tried again after this time, in milliseconds, before it counts as dead. */
export const SUSPICION_MS = 5 * MINUTE_MS;

export const DEFAULT_GRANT_TIMES: GrantTimes = { leadTimeMs: 10 * MINUTE_MS, reconsentWindowMs: 3 * DAY_MS };

/** @returns when an access token that ends at this instant is to be refreshed. */
export function refreshDueAt(accessTokenExpiresAt: Date, { leadTimeMs }: GrantTimes): Date {
  return new Date(accessTokenExpiresAt.getTime() - leadTimeMs);
}

/** What ends one day: whichever is first ends what the user has granted. */
interface Ends {
  readonly consentExpiresAt: Date;
  readonly refreshTokenExpiresAt: Date;
}

/** @returns the instant at which there is nothing left that could be kept alive. */
export function grantEndsAt({ consentExpiresAt, refreshTokenExpiresAt }: Ends): Date {
  return consentExpiresAt < refreshTokenExpiresAt ? consentExpiresAt : refreshTokenExpiresAt;
}

/** @returns from when on the user is to be asked again. */
export function consentDueAt(ends: Ends, { reconsentWindowMs }: GrantTimes): Date {
  return new Date(grantEndsAt(ends).getTime() - reconsentWindowMs);
}

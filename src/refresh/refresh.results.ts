import type { GrantTimes } from '../common/options.js';
import { refreshDueAt, SUSPICION_MS } from '../grants/grant.times.js';
import type { ClaimedGrant, RefreshResult } from '../grants/refresh.repository.js';
import type { WechatTokenResponse } from '../protocol/wechat.client.js';
import type { RefreshFailure } from './refresh.failures.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const FIRST_PAUSE_MS = 30 * SECOND_MS;
const LONGEST_PAUSE_MS = 30 * MINUTE_MS;
/** An account that is stopped is probed every five minutes; its grants come back as soon as it goes on. */
const STOPPED_PAUSE_MS = 5 * MINUTE_MS;

/** When a result is worked out, and by what. */
export interface ResultContext {
  readonly now: Date;
  readonly times: GrantTimes;
  /** Whoever has not signed in since then is refreshed no more; undefined: everybody is. */
  readonly activeSince: Date | undefined;
  /** From 0 to 1, different each time: what was due at one moment is spread out. */
  readonly jitter: number;
}

/** @param requestedAt instant before the request was sent, from which the token's life is counted. */
export function succeeded(
  claimed: ClaimedGrant,
  { accessToken, refreshToken, expiresInMs }: WechatTokenResponse,
  requestedAt: Date,
  { times, activeSince, jitter }: ResultContext,
): RefreshResult {
  const isActive =
    activeSince === undefined || (claimed.signedInAt !== null && claimed.signedInAt >= activeSince);
  const accessTokenExpiresAt = new Date(requestedAt.getTime() + expiresInMs);
  const early = refreshDueAt(accessTokenExpiresAt, times).getTime() - jitter * 0.1 * expiresInMs;
  // Should WeChat ever give tokens that live for minutes, they must not be due as soon as they are there.
  const dueAt = Math.max(early, requestedAt.getTime() + expiresInMs / 2);
  return {
    claimed,
    tokens: { accessToken, refreshToken, accessTokenExpiresAt },
    pairStatus: 'alive',
    pairSuspectSince: null,
    refreshDueAt: isActive ? new Date(dueAt) : null,
    refreshFailures: 0,
    refreshFailedAt: null,
  };
}

export function failed(
  claimed: ClaimedGrant,
  failure: RefreshFailure,
  context: ResultContext,
): RefreshResult {
  const { now } = context;
  const refreshFailures = failure === 'later' ? claimed.refreshFailures + 1 : claimed.refreshFailures;
  const unchanged = {
    claimed,
    pairStatus: claimed.pairStatus,
    pairSuspectSince: claimed.pairSuspectSince,
    refreshFailures,
    refreshFailedAt: now,
  };
  if (failure !== 'rejected') {
    return { ...unchanged, refreshDueAt: after(now, pauseMs(failure, refreshFailures, context)) };
  }
  const suspectSince = claimed.pairSuspectSince ?? now;
  const isDead = claimed.pairStatus === 'suspect' && now.getTime() >= suspectSince.getTime() + SUSPICION_MS;
  return {
    ...unchanged,
    pairStatus: isDead ? 'dead' : 'suspect',
    pairSuspectSince: suspectSince,
    refreshDueAt: isDead ? null : after(suspectSince, SUSPICION_MS),
  };
}

/**
 * A grant that was claimed and not sent, since the lease was nearly over, the calls of this minute are used up, or the
 * account or the application stops. It stays due for as long as it has been: it keeps its turn, and the backlog its age.
 */
export function dropped(claimed: ClaimedGrant): RefreshResult {
  const { pairStatus, pairSuspectSince, refreshDueAt, refreshFailures } = claimed;
  return { claimed, pairStatus, pairSuspectSince, refreshDueAt, refreshFailures, refreshFailedAt: null };
}

function pauseMs(
  failure: Exclude<RefreshFailure, 'rejected'>,
  failures: number,
  { now, jitter }: ResultContext,
): number {
  switch (failure) {
    case 'later': {
      const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10));
      return longest * (0.5 + jitter / 2);
    }
    case 'next-minute':
      return MINUTE_MS - (now.getTime() % MINUTE_MS) + jitter * 10 * SECOND_MS;
    case 'stop-account':
      return STOPPED_PAUSE_MS;
    case 'tomorrow':
      return DAY_MS;
  }
}

function after(instant: Date, ms: number): Date {
  return new Date(instant.getTime() + ms);
}

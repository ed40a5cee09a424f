import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_GRANT_TIMES } from '../../src/grants/grant.times.js';
import type { ClaimedGrant } from '../../src/grants/refresh.repository.js';
import { describeErrorCode } from '../../src/protocol/error-codes.js';
import { WechatResponseError } from '../../src/protocol/wechat-response.error.js';
import { failureOf, type RefreshFailure } from '../../src/refresh/refresh.failures.js';
import { dropped, failed, succeeded } from '../../src/refresh/refresh.results.js';
import { DAY_MS, MINUTE_MS } from './refresh.harness.js';

/** The same on every machine; a failure prints it with the smallest case that fails. */
const SETTINGS = { seed: 20_260_301, numRuns: 500 };
const SECOND_MS = 1_000;
const SUSPICION_MS = 5 * MINUTE_MS;

const instants = fc.date({
  min: new Date('2026-01-01'),
  max: new Date('2030-01-01'),
  noInvalidDate: true,
});
const jitters = fc.double({ min: 0, max: 1, noNaN: true });
const contexts = fc.record({
  now: instants,
  jitter: jitters,
  times: fc.constant(DEFAULT_GRANT_TIMES),
  activeSince: fc.constant(undefined),
});
const passing = fc.constantFrom<RefreshFailure>('later', 'next-minute', 'stop-account', 'tomorrow');

/** Grants as they may be when they are claimed: one that WeChat has rejected was rejected before. */
const claims: fc.Arbitrary<ClaimedGrant> = fc
  .record({ failures: fc.nat(1_000), suspectSince: fc.option(instants), refreshDueAt: fc.option(instants) })
  .map(({ failures, suspectSince, refreshDueAt }) => ({
    ...{ appId: 'wx0', openid: 'oUser', pairVersion: 1, leaseId: 'any', leaseExpiresAt: new Date(0) },
    ...{ sealedTokens: '', signedInAt: new Date(0), refreshFailures: failures },
    pairStatus: suspectSince ? 'suspect' : 'alive',
    pairSuspectSince: suspectSince,
    refreshDueAt,
  }));

function check<Values extends [unknown, ...unknown[]]>(
  arbitraries: { [Index in keyof Values]: fc.Arbitrary<Values[Index]> },
  predicate: (...values: Values) => void,
): void {
  fc.assert(fc.property(...arbitraries, predicate), SETTINGS);
}

describe('a refresh that has brought tokens', () => {
  it('is followed by another one before they end: at the lead time, or up to a tenth of their life earlier', () => {
    check([claims, contexts, fc.integer({ min: 1, max: 7_200 })], (claimed, context, expiresInS) => {
      const expiresInMs = expiresInS * SECOND_MS;
      const tokens = {
        ...{ accessToken: 'a', refreshToken: 'r', openid: 'oUser', scopes: [], unionid: undefined },
        ...{ isSnapshotUser: false, expiresInMs },
      };
      const result = succeeded(claimed, tokens, context.now, context);
      const endsAtMs = context.now.getTime() + expiresInMs;
      const dueMs = result.refreshDueAt?.getTime() ?? NaN;
      expect(result.tokens?.accessTokenExpiresAt.getTime()).toBe(endsAtMs);
      // A life as short as this is halved: it must not be due as soon as it is there.
      const middleMs = context.now.getTime() + expiresInMs / 2;
      const latestMs = Math.max(endsAtMs - DEFAULT_GRANT_TIMES.leadTimeMs, middleMs);
      expect(dueMs).toBeLessThanOrEqual(latestMs);
      expect(dueMs).toBeGreaterThanOrEqual(Math.max(latestMs - 0.1 * expiresInMs, middleMs) - 1);
      expect(result).toMatchObject({ pairStatus: 'alive', pairSuspectSince: null, refreshFailures: 0 });
    });
  });
});

describe('a refresh that has failed for a reason that passes', () => {
  it('leaves what is known of the pair as it was, and brings no tokens', () => {
    check([claims, passing, contexts], (claimed, failure, context) => {
      const { pairStatus, pairSuspectSince } = claimed;
      const result = failed(claimed, failure, context);
      expect(result).toMatchObject({ pairStatus, pairSuspectSince, refreshFailedAt: context.now });
      expect(result.tokens).toBeUndefined();
    });
  });

  it('is tried again within the time that its kind allows, and not at once', () => {
    const bounds: Record<Exclude<RefreshFailure, 'rejected'>, [fromMs: number, toMs: number]> = {
      later: [15 * SECOND_MS, 30 * MINUTE_MS],
      'next-minute': [1, MINUTE_MS + 10 * SECOND_MS],
      'stop-account': [5 * MINUTE_MS, 5 * MINUTE_MS],
      tomorrow: [DAY_MS, DAY_MS],
    };
    check([claims, passing, contexts], (claimed, failure, context) => {
      const dueMs = failed(claimed, failure, context).refreshDueAt?.getTime() ?? NaN;
      const [fromMs, toMs] = bounds[failure as keyof typeof bounds];
      expect(dueMs - context.now.getTime()).toBeGreaterThanOrEqual(fromMs);
      expect(dueMs - context.now.getTime()).toBeLessThanOrEqual(toMs);
    });
  });

  it('waits no shorter after the next failure, by the same chance', () => {
    check([claims, contexts], (claimed, context) => {
      const first = failed(claimed, 'later', context);
      const next = failed({ ...claimed, refreshFailures: first.refreshFailures }, 'later', context);
      expect(next.refreshFailures).toBe(claimed.refreshFailures + 2);
      expect(next.refreshDueAt?.getTime()).toBeGreaterThanOrEqual(first.refreshDueAt?.getTime() ?? NaN);
    });
  });

  it('goes on in the next minute of the clock where the calls of this one are used up', () => {
    check([claims, contexts], (claimed, context) => {
      const dueMs = failed(claimed, 'next-minute', context).refreshDueAt?.getTime() ?? NaN;
      expect(Math.floor(dueMs / MINUTE_MS)).toBeGreaterThan(Math.floor(context.now.getTime() / MINUTE_MS));
    });
  });
});

describe('a refresh that WeChat has rejected', () => {
  it('ends a pair that was suspect for five minutes, and no other', () => {
    const ages = fc.option(fc.integer({ min: 0, max: 2 * SUSPICION_MS }));
    check([claims, contexts, ages], (any, context, ageMs) => {
      const since = ageMs === null ? null : new Date(context.now.getTime() - ageMs);
      const claimed: ClaimedGrant = {
        ...any,
        pairStatus: since ? 'suspect' : 'alive',
        pairSuspectSince: since,
      };
      const result = failed(claimed, 'rejected', context);
      const isDead = ageMs !== null && ageMs >= SUSPICION_MS;
      expect(result.pairStatus).toBe(isDead ? 'dead' : 'suspect');
      expect(result.pairSuspectSince).toEqual(since ?? context.now);
      // Tried again when the five minutes are over; never, once it is dead.
      const retryMs = (since ?? context.now).getTime() + SUSPICION_MS;
      expect(result.refreshDueAt?.getTime()).toBe(isDead ? undefined : retryMs);
    });
  });
});

describe('a refresh that was not sent', () => {
  it('is due for as long as before, or at once, and nothing is known that was not known before', () => {
    check([claims], (claimed) => {
      const { pairStatus, pairSuspectSince, refreshFailures, refreshDueAt } = claimed;
      expect(dropped(claimed)).toEqual({
        ...{ claimed, pairStatus, pairSuspectSince, refreshFailures, refreshDueAt },
        refreshFailedAt: null,
      });
    });
  });
});

it('an error code that nobody knows, or anything else that is thrown, marks nobody and stops no account', () => {
  const unknownCodes = fc.integer({ min: -100, max: 99_999_999 }).filter((code) => !describeErrorCode(code));
  check([unknownCodes, fc.anything()], (errcode, thrown) => {
    const error = new WechatResponseError({ endpoint: 'refresh', code: 'wechat_error', errcode, errmsg: '' });
    expect(failureOf(error)).toBe('later');
    expect(failureOf(thrown)).toBe('later');
  });
});

import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { WechatUserInfo } from '../../../src/common/wechat-user.js';
import { DEFAULT_GRANT_TIMES } from '../../../src/grants/grant.times.js';
import type { RefreshFailure } from '../../../src/refresh/refresh.failures.js';
import { dropped, failed, succeeded } from '../../../src/refresh/refresh.results.js';
import { DAY_MS, type GrantModel, HOUR_MS, MINUTE_MS, SECOND_MS } from './grant.model.js';
import type { StoredGrant } from './stored.grant.js';

const USER_INFO: WechatUserInfo = {
  ...{ openid: 'oUser', nickname: '小满', headimgurl: '', sex: 0, language: '' },
  ...{ province: '', city: '', country: '', privilege: [] },
};

type Step = (model: GrantModel, real: StoredGrant, now: Date) => Promise<void>;

/** Something that happens to a grant. After each, the row is what the model says. */
class Happening implements fc.AsyncCommand<GrantModel, StoredGrant> {
  constructor(
    private readonly text: string,
    private readonly isPossible: (model: GrantModel) => boolean,
    private readonly step: Step,
  ) {}

  check(model: Readonly<GrantModel>): boolean {
    return this.isPossible(model as GrantModel);
  }

  async run(model: GrantModel, real: StoredGrant): Promise<void> {
    const version = model.version;
    await this.step(model, real, new Date(model.nowMs));
    expect(model.version).toBeGreaterThanOrEqual(version);
    await real.compare(model);
  }

  toString(): string {
    return this.text;
  }
}

const always = (): boolean => true;
const isStored = ({ version }: GrantModel): boolean => version > 0;

/** Everything that can happen to a grant. */
export function happenings(): fc.Arbitrary<Happening>[] {
  return [
    ...happeningsOfPair(),
    passing(WHILES_MS),
    fc.constant(authorization('base')),
    fc.constant(new Happening('review', always, review)),
    fc.constant(new Happening('ask again', isStored, ask)),
    fc.constant(new Happening('consent required by the host', isStored, requireConsent)),
  ];
}

/** What can happen to a pair of tokens within minutes, while it is being refreshed. */
export function happeningsOfPair(): fc.Arbitrary<Happening>[] {
  return [
    passing(MOMENTS_MS),
    fc.constant(authorization('userinfo')),
    fc.constant(new Happening('sweep claims', isStored, claimDue)),
    fc.constant(new Happening('caller claims', isStored, claimOne)),
    fc.record({ which: fc.nat(1), jitter: jitter() }).map(refreshSucceeds),
    fc.record({ which: fc.nat(1), jitter: jitter(), failure: failure() }).map(refreshFails),
    reading('profile read', async (grant, model, real, now) => {
      await real.grants.saveUserInfo(grant, USER_INFO, now);
      if (grant.pairVersion === model.version) model.profileRead();
    }),
    reading('profile refused', async (grant, model, real, now) => {
      const isTold = await real.grants.markUnable(grant, now);
      expect(isTold).toBe(model.profileRefused(grant.pairScope, grant.refreshTokenExpiresAt.getTime()));
    }),
    reading('pair rejected', async (grant, model, real, now) => {
      const isDead = await real.grants.markRejected(grant, now);
      const before = model.status;
      if (grant.pairVersion === model.version) model.rejected();
      expect(isDead).toBe(before !== 'dead' && model.status === 'dead');
    }),
  ];
}

/** Within the leases, and within a suspicion. */
const MOMENTS_MS = [0, SECOND_MS, 20 * SECOND_MS, 2 * MINUTE_MS, 5 * MINUTE_MS - 1, 5 * MINUTE_MS];
/** To the ends of tokens, and of what the user has granted. */
const WHILES_MS = [110 * MINUTE_MS, 2 * HOUR_MS, DAY_MS, 3 * DAY_MS, 26 * DAY_MS];

function passing(spansMs: readonly number[]): fc.Arbitrary<Happening> {
  return fc.constantFrom(...spansMs).map(
    (ms) =>
      new Happening(`${String(ms)} ms pass`, always, async (model) => {
        model.nowMs += ms;
      }),
  );
}

function authorization(scope: 'base' | 'userinfo'): Happening {
  return new Happening(`${scope} authorization`, always, async (model, { grants, key }, now) => {
    await grants.saveAuthorization({
      ...key,
      scope,
      unionid: undefined,
      accessToken: randomUUID(),
      refreshToken: randomUUID(),
      requestedAt: now,
      accessTokenLifetimeMs: 2 * HOUR_MS,
      refreshTokenLifetimeMs: 30 * DAY_MS,
    });
    model.authorize(scope);
  });
}

const claimDue: Step = async (model, real, now) => {
  const row = await real.grants.find(real.key);
  const isFree = model.lease === null || model.lease.endsMs <= model.nowMs;
  const isDue = isFree && row?.refreshDueAt !== null && row !== null && row.refreshDueAt <= now;
  const claim = claimAt(now, 2 * MINUTE_MS);
  const claimed = await real.refreshes.claimDue(real.key.appId, claim, 10);
  expect(claimed).toHaveLength(isDue ? 1 : 0);
  for (const one of claimed) {
    real.claims.push({ real: one, model: model.claim(claim.leaseId, 2 * MINUTE_MS) });
  }
};

const claimOne: Step = async (model, real, now) => {
  if (!model.isServed) return;
  const claim = claimAt(now, 20 * SECOND_MS);
  const claimed = await real.refreshes.claimOne(real.key, model.version, claim);
  const isFree = model.lease === null || model.lease.endsMs <= model.nowMs;
  expect(claimed !== undefined).toBe(isFree);
  if (claimed) real.claims.push({ real: claimed, model: model.claim(claim.leaseId, 20 * SECOND_MS) });
};

function refreshSucceeds({ which, jitter }: { which: number; jitter: number }): Happening {
  return new Happening(`refresh ${String(which)} succeeds`, isStored, async (model, real, now) => {
    const [claim] = real.claims.splice(which, 1);
    if (!claim) return;
    const tokens = {
      ...{ accessToken: randomUUID(), refreshToken: randomUUID(), expiresInMs: 2 * HOUR_MS },
      ...{ openid: real.key.openid, scopes: [], unionid: undefined, isSnapshotUser: false },
    };
    const context = { now, times: DEFAULT_GRANT_TIMES, activeSince: undefined, jitter };
    const written = await real.refreshes.save([succeeded(claim.real, tokens, now, context)]);
    const counts = model.counts(claim.model);
    expect(written).toHaveLength(counts ? 1 : 0);
    if (counts) model.refreshed();
  });
}

function refreshFails({
  which,
  jitter,
  failure,
}: {
  which: number;
  jitter: number;
  failure: RefreshFailure | undefined;
}): Happening {
  return new Happening(
    `refresh ${String(which)}: ${failure ?? 'dropped'}`,
    isStored,
    async (model, real, now) => {
      const [claim] = real.claims.splice(which, 1);
      if (!claim) return;
      const result = failure
        ? failed(claim.real, failure, { now, times: DEFAULT_GRANT_TIMES, activeSince: undefined, jitter })
        : dropped(claim.real);
      const written = await real.refreshes.save([result]);
      const counts = model.counts(claim.model);
      expect(written).toHaveLength(counts ? 1 : 0);
      if (counts) model.notRefreshed(claim.model, failure);
    },
  );
}

/** Something that a caller learns of the pair that it has read some while ago. */
function reading(
  text: string,
  learn: (
    grant: StoredGrant['readings'][number],
    model: GrantModel,
    real: StoredGrant,
    now: Date,
  ) => Promise<void>,
): fc.Arbitrary<Happening> {
  return fc.nat(2).map(
    (ago) =>
      new Happening(
        `${text}, of what was known ${String(ago)} steps ago`,
        isStored,
        async (model, real, now) => {
          const grant = real.readings.at(-1 - ago);
          if (grant) await learn(grant, model, real, now);
        },
      ),
  );
}

const review: Step = async (model, { consents, key }, now) => {
  const { changes } = await consents.review(now, 100);
  const notices = changes.filter(({ appId }) => appId === key.appId).map(({ notice }) => notice);
  const notice = model.review();
  expect(notices).toEqual(notice === null ? [] : [notice]);
};

const ask: Step = async (model, { consents, key }, now) => {
  expect(await consents.takeAsk(key, now)).toBe(model.ask());
};

const requireConsent: Step = async (model, { consents, key }, now) => {
  expect(await consents.require(key, now)).toBe(true);
  model.requireConsent();
};

function claimAt(now: Date, leaseMs: number) {
  return { leaseId: randomUUID(), now, leaseExpiresAt: new Date(now.getTime() + leaseMs) };
}

function jitter(): fc.Arbitrary<number> {
  return fc.double({ min: 0, max: 1, noNaN: true });
}

function failure(): fc.Arbitrary<RefreshFailure | undefined> {
  return fc.constantFrom(
    'later',
    'next-minute',
    'rejected',
    'rejected',
    'stop-account',
    'tomorrow',
    undefined,
  );
}

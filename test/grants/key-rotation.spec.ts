import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { DataSource, EntityManager } from 'typeorm';
import { openidForLogs } from '../../src/common/digest.js';
import { SystemRandomness } from '../../src/common/randomness.js';
import { Sealer, type SealingKey } from '../../src/common/sealer.js';
import { KeyRotation, type KeyRotationResult } from '../../src/grants/key-rotation.js';
import { type ClaimedGrant, RefreshRepository } from '../../src/grants/refresh.repository.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { APP_ID, authorization, K1, K2, openids, SealedGrants, START } from './sealed-grants.js';

const HOUR_MS = 60 * 60_000;
const LATER = new Date(START.getTime() + 3 * HOUR_MS);

let database: TestDatabase;
let grants: SealedGrants;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  grants = await SealedGrants.create(database.url);
  dataSource = grants.dataSource;
});
beforeEach(() => dataSource.query('TRUNCATE wechat_grant'));
afterAll(async () => {
  await grants.close();
  await database.drop();
});

interface Rotation {
  keys?: [SealingKey, ...SealingKey[]];
  batchSize?: number;
  dryRun?: boolean;
  on?: DataSource;
}

function rotate({
  keys = [K2, K1],
  batchSize = 2,
  dryRun = false,
  on = dataSource,
}: Rotation = {}): Promise<KeyRotationResult> {
  return new KeyRotation(on, keys, { batchSize, dryRun }).run();
}

/** The data source, with something done each time between the reading of a batch and the writing of it. */
function beforeWriting(act: () => Promise<void>): DataSource {
  const { manager } = dataSource;
  const observed = Object.assign(Object.create(manager) as EntityManager, {
    query: async (sql: string, parameters: unknown[]): Promise<unknown> => {
      await act();
      return manager.query(sql, parameters);
    },
  });
  return Object.assign(Object.create(dataSource) as DataSource, { manager: observed });
}

/** The first time only. */
function once(act: () => Promise<unknown>): () => Promise<void> {
  let isDone = false;
  return async () => {
    if (isDone) return;
    isDone = true;
    await act();
  };
}

/** The refreshes of an instance with these keys. */
function refreshesWith(...keys: [SealingKey, ...SealingKey[]]): RefreshRepository {
  return new RefreshRepository(dataSource, new Sealer(keys, new SystemRandomness()));
}

function claim(refreshes: RefreshRepository): Promise<ClaimedGrant[]> {
  const leaseExpiresAt = new Date(LATER.getTime() + HOUR_MS);
  return refreshes.claimDue(APP_ID, { leaseId: randomUUID(), now: LATER, leaseExpiresAt }, 100);
}

/** @returns how many were saved. */
async function save(refreshes: RefreshRepository, claimed: readonly ClaimedGrant[]): Promise<number> {
  const accessTokenExpiresAt = new Date(LATER.getTime() + 2 * HOUR_MS);
  const saved = await refreshes.save(
    claimed.map((one) => ({
      claimed: one,
      tokens: {
        accessToken: `REFRESHED-${one.openid}`,
        refreshToken: refreshes.refreshTokenOf(one),
        accessTokenExpiresAt,
      },
      pairStatus: 'alive',
      pairSuspectSince: null,
      refreshDueAt: accessTokenExpiresAt,
      refreshFailures: 0,
      refreshFailedAt: null,
    })),
  );
  return saved.length;
}

describe('a rotation of keys', () => {
  it('seals every token and profile anew, batch after batch, and changes nothing else', async () => {
    await grants.grant(K1, openids(7));
    const columns = `to_jsonb(g) - 'sealed_tokens' - 'sealed_user_info'`;
    const others = (): Promise<unknown> =>
      dataSource.query(`SELECT ${columns} FROM wechat_grant g ORDER BY openid`);
    const [before, opened] = [await others(), await grants.opened(K1)];
    const { resealed, counts, unopened } = await rotate();
    expect(resealed).toEqual({ tokens: 7, userinfo: 4 });
    expect([...counts]).toEqual([['k2', { tokens: 7, userinfo: 4 }]]);
    expect(unopened).toEqual([]);
    expect(await grants.opened(K2)).toEqual(opened);
    expect(await others()).toEqual(before);
  });

  it.each([1, 3, 4, 12, 100])('misses nobody with batches of %d', async (batchSize) => {
    await grants.grant(K1, openids(12));
    await dataSource.query(`UPDATE wechat_grant SET app_id = 'wxffffffffffffffff' WHERE openid > 'o00008'`);
    // Those four are sealed for another row now, and do not open.
    const { resealed, unopened } = await rotate({ batchSize });
    expect(resealed.tokens).toBe(8);
    expect(unopened.map(({ purpose, code, count }) => [purpose, code, count])).toEqual([
      ['tokens', 'not_authentic', 4],
      ['userinfo', 'not_authentic', 2],
    ]);
  });

  it('touches no row that has the first key already', async () => {
    await grants.grant(K2, openids(3));
    const versions = (): Promise<unknown> =>
      dataSource.query('SELECT xmin::text, ctid::text FROM wechat_grant ORDER BY openid');
    const before = await versions();
    expect((await rotate()).resealed).toEqual({ tokens: 0, userinfo: 0 });
    expect(await versions()).toEqual(before);
  });

  it('seals anew a profile whose tokens have the first key already', async () => {
    await grants.grant(K1, openids(2));
    await grants.with(K2, K1).saveAuthorization(authorization('o00001', 1));
    expect((await rotate()).resealed).toEqual({ tokens: 1, userinfo: 1 });
    expect(await grants.sealedWith(K2)).toEqual({ tokens: 2, userinfo: 1 });
    expect((await grants.opened(K2))['o00001']?.[0]).toBe('ACCESS-o00001-1');
  });

  it('only counts, if that is all that is asked', async () => {
    await grants.grant(K1, openids(5));
    const { resealed, counts } = await rotate({ dryRun: true });
    expect(resealed).toEqual({ tokens: 5, userinfo: 3 });
    expect([...counts]).toEqual([['k1', { tokens: 5, userinfo: 3 }]]);
    expect(await grants.sealedWith(K1)).toEqual({ tokens: 5, userinfo: 3 });
  });

  it('goes back to where it came from by the same way', async () => {
    await grants.grant(K1, openids(3));
    const opened = await grants.opened(K1);
    await rotate({ keys: [K2, K1] });
    await rotate({ keys: [K1, K2] });
    expect(await grants.opened(K1)).toEqual(opened);
  });
});

describe('a row that does not open', () => {
  it('is left and counted where its key is unknown, and the others are done', async () => {
    await grants.grant(K1, openids(4));
    await grants.grant({ kid: 'k0', secret: Buffer.alloc(32, 9) }, ['o00002b']);
    const { resealed, counts, unopened } = await rotate();
    expect(resealed.tokens).toBe(4);
    expect(unopened).toMatchObject([
      { purpose: 'tokens', code: 'unknown_key', kid: 'k0', count: 1 },
      { purpose: 'userinfo', code: 'unknown_key', kid: 'k0', count: 1 },
    ]);
    expect(counts.get('k0')).toEqual({ tokens: 1, userinfo: 1 });
    expect(await grants.sealedWith({ kid: 'k0', secret: K1.secret })).toEqual({ tokens: 1, userinfo: 1 });
  });

  it.each([
    ['changed', `left(sealed_tokens, length(sealed_tokens) - 4) || 'AAAA'`, 'k1'],
    ['cut', `left(sealed_tokens, length(sealed_tokens) - 9)`, 'k1'],
    ["another row's", `(SELECT sealed_tokens FROM wechat_grant WHERE openid = 'o00001')`, 'k1'],
    ['empty', `''`, undefined],
    ['no text of ours', `'{"at":"plain"}'`, undefined],
    ['a header without a key', `'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c'`, undefined],
  ])('is left as it is, whatever was done to its tokens: %s', async (_, tokens, kid) => {
    await grants.grant(K1, openids(3));
    await dataSource.query(`UPDATE wechat_grant SET sealed_tokens = ${tokens} WHERE openid = 'o00002'`);
    const row = (): Promise<unknown> =>
      dataSource.query(`SELECT to_jsonb(g) FROM wechat_grant g WHERE openid = 'o00002'`);
    const before = await row();
    const { resealed, unopened } = await rotate();
    expect(resealed.tokens).toBe(2);
    expect(unopened).toMatchObject([
      { purpose: 'tokens', code: 'not_authentic', kid, count: 1, users: [openidForLogs('o00002')] },
    ]);
    expect(await row()).toEqual(before);
  });

  it('keeps its profile from nothing: each of the two is for itself', async () => {
    await grants.grant(K1, openids(1));
    await dataSource.query(`UPDATE wechat_grant SET sealed_tokens = sealed_tokens || 'A'`);
    expect((await rotate()).resealed).toEqual({ tokens: 0, userinfo: 1 });
    expect(await grants.sealedWith(K2)).toEqual({ tokens: 0, userinfo: 1 });
  });
});

describe('while the service writes,', () => {
  it('a refresh that was claimed before is saved after, with its lease and its version', async () => {
    await grants.grant(K1, openids(5));
    const refreshes = refreshesWith(K1, K2);
    const claimed = await claim(refreshes);
    expect(claimed).toHaveLength(5);
    expect((await rotate()).resealed.tokens).toBe(5);
    expect(await save(refreshes, claimed)).toBe(5);
    const opened = await grants.opened(K2, K1);
    for (const openid of openids(5)) expect(opened[openid]?.[0]).toBe(`REFRESHED-${openid}`);
  });

  it('a refresh that is claimed between reading and writing goes on as well, and its row is re-sealed', async () => {
    await grants.grant(K1, openids(5));
    const refreshes = refreshesWith(K2, K1);
    let claimed: ClaimedGrant[] = [];
    const on = beforeWriting(once(async () => (claimed = await claim(refreshes))));
    expect((await rotate({ on })).resealed.tokens).toBe(5);
    expect(await grants.sealedWith(K1)).toEqual({ tokens: 0, userinfo: 0 });
    expect(await save(refreshes, claimed)).toBe(5);
  });

  it('tokens that are saved between reading and writing are not overwritten', async () => {
    await grants.grant(K1, openids(5));
    const refreshes = refreshesWith(K2, K1);
    const claimed = await claim(refreshes);
    const on = beforeWriting(once(() => save(refreshes, claimed)));
    const { resealed } = await rotate({ on });
    // The profiles of the same rows have not changed, and are not kept waiting.
    expect(resealed).toEqual({ tokens: 0, userinfo: 3 });
    const opened = await grants.opened(K2);
    for (const openid of openids(5)) expect(opened[openid]?.[0]).toBe(`REFRESHED-${openid}`);
  });

  it('a sign-in or a profile that is saved between reading and writing is not overwritten', async () => {
    await grants.grant(K1, openids(4));
    const on = beforeWriting(once(() => grants.grant(K2, openids(4), 1)));
    expect((await rotate({ on })).resealed).toEqual({ tokens: 0, userinfo: 0 });
    const opened = await grants.opened(K2);
    for (const openid of openids(4)) expect(opened[openid]?.[0]).toBe(`ACCESS-${openid}-1`);
  });

  it('what an instance seals with the old key meanwhile is found when it looks again', async () => {
    await grants.grant(K1, openids(4));
    // o00000 is new, and stands before the place that has been reached.
    const on = beforeWriting(once(() => grants.grant(K1, ['o00000', ...openids(2)], 1)));
    expect((await rotate({ on })).resealed.tokens).toBe(5);
    const opened = await grants.opened(K2);
    expect([opened['o00000']?.[0], opened['o00002']?.[0]]).toEqual(['ACCESS-o00000-1', 'ACCESS-o00002-1']);
  });

  it('an instance that goes on sealing with the old key does not keep it for ever', async () => {
    await grants.grant(K1, openids(1));
    const on = beforeWriting(() => grants.grant(K1, openids(1), 1));
    const { resealed, counts } = await rotate({ on });
    expect(resealed).toEqual({ tokens: 0, userinfo: 0 });
    expect([...counts]).toEqual([['k1', { tokens: 1, userinfo: 1 }]]);
  });

  it('a writer that holds a row makes it wait for that row alone, while it holds none itself', async () => {
    await grants.grant(K1, openids(6));
    const writer = dataSource.createQueryRunner();
    await writer.startTransaction();
    const touch = (openid: string): Promise<unknown> =>
      writer.query(`UPDATE wechat_grant SET signed_in_at = $1 WHERE openid = $2`, [LATER, openid]);
    await touch('o00004');
    const rotation = rotate({ batchSize: 6 });
    await waitingForRow();
    // Would end in a deadlock if the rotation held the rest of its batch.
    for (const openid of ['o00001', 'o00003', 'o00006']) await touch(openid);
    await writer.commitTransaction();
    await writer.release();
    expect((await rotation).resealed.tokens).toBe(6);
    expect(await grants.sealedWith(K1)).toEqual({ tokens: 0, userinfo: 0 });
    const [{ touched }] = await dataSource.query<[{ touched: number }]>(
      'SELECT count(*)::int AS touched FROM wechat_grant WHERE signed_in_at IS NOT NULL',
    );
    expect(touched).toBe(4);
  });

  it('writers at full speed lose nothing, and end up with rows that the first key opens', async () => {
    const all = openids(40);
    await grants.grant(K1, all);
    const last: Record<string, string> = {};
    let isOver = false;
    const writer = async (part: number): Promise<void> => {
      const repository = grants.with(K2, K1);
      const mine = all.filter((_, index) => index % 4 === part);
      for (let round = 1; !isOver; round++) {
        for (const openid of mine) {
          await repository.saveAuthorization(authorization(openid, round));
          last[openid] = `ACCESS-${openid}-${round}`;
        }
      }
    };
    const writers = [0, 1].map(writer);
    const rotations = await Promise.all([rotate({ batchSize: 7 }), rotate({ batchSize: 5 })]);
    isOver = true;
    await Promise.all(writers);
    for (const { unopened } of rotations) expect(unopened).toEqual([]);
    const opened = await grants.opened(K2);
    expect(Object.keys(last).length).toBeGreaterThan(0);
    for (const [openid, token] of Object.entries(last)) expect(opened[openid]?.[0]).toBe(token);
    expect(await grants.sealedWith(K1)).toEqual({ tokens: 0, userinfo: 0 });
  });
});

/** Until a statement of the rotation waits for a row that somebody else holds. */
async function waitingForRow(): Promise<void> {
  for (;;) {
    const [{ waiting }] = await dataSource.query<[{ waiting: number }]>(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (waiting > 0) return;
  }
}

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { GrantCensus } from '../../src/observability/grant.census.js';
import { RefreshBacklog } from '../../src/observability/refresh.backlog.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const HOUR_MS = 60 * 60_000;
const NOW = new Date('2026-03-01T12:00:00Z');
const GRANTS = 8_000;

/** A table of the size at which counting begins to matter, made without signing anybody in. */
describe('what is read of many grants', () => {
  let database: TestDatabase;
  let db: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = await new DataSource({
      type: 'postgres',
      url: database.url,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
    }).initialize();
    await db.runMigrations();
    // One in ten is dead; half of the rest are due, each a second before the next.
    await db.query(
      `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
         access_token_expires_at, refresh_token_expires_at, consented_at, consent_expires_at, created_at, signed_in_at,
         refresh_failures, consent_popup_wanted, refresh_due_at)
       SELECT 'wx' || i % 2, 'o' || md5(i::text), 1, 'userinfo', CASE WHEN i % 10 = 0 THEN 'dead' ELSE 'alive' END, 'able',
         repeat(md5(i::text), 20), $1::timestamptz, $1::timestamptz + interval '20 days', $1, $1::timestamptz + interval '20 days',
         $1, $1, 0, false,
         CASE WHEN i % 10 <> 0 AND i % 2 = 1 THEN $1::timestamptz - i * interval '1 second' END
       FROM generate_series(1, $2::int) AS i`,
      [NOW, GRANTS],
    );
    await db.query('ANALYZE wechat_grant');
  });
  afterAll(async () => {
    await db.destroy();
    await database.drop();
  });

  const group = (appId: string, pair: string): object => ({ appId, consent: 'live', pair });

  it('is exact while the table is small', async () => {
    const counts = await new GrantCensus(db).count(NOW);
    expect(counts).toHaveLength(3);
    expect(counts).toEqual(
      expect.arrayContaining([
        { ...group('wx0', 'alive'), grants: 3_200 },
        { ...group('wx0', 'dead'), grants: 800 },
        { ...group('wx1', 'alive'), grants: 4_000 },
      ]),
    );
  });

  it('is estimated from some pages where the table is larger, the same each time', async () => {
    const [size]: { bytes: number }[] = await db.query(
      `SELECT pg_relation_size('wechat_grant')::int AS bytes`,
    );
    const census = new GrantCensus(db, (size?.bytes ?? 0) / 2);
    const counts = await census.count(NOW);
    const total = counts.reduce((sum, { grants }) => sum + grants, 0);
    expect(total).not.toBe(GRANTS);
    expect(total / GRANTS).toBeGreaterThan(0.8);
    expect(total / GRANTS).toBeLessThan(1.2);
    const byPair = (pairs: typeof counts): unknown[] => pairs.map((one) => JSON.stringify(one)).sort();
    expect(byPair(await census.count(NOW))).toEqual(byPair(counts));
  });

  it('is counted for each account, and for accounts without any grant', async () => {
    const backlogs = await new RefreshBacklog(db).read(['wx0', 'wx1', 'wx2'], NOW);
    expect(backlogs).toEqual([
      { appId: 'wx0', due: 0, ageMs: 0 },
      { appId: 'wx1', due: 4_000, ageMs: 7_999_000 },
      { appId: 'wx2', due: 0, ageMs: 0 },
    ]);
  });

  it('finds what is due by the index alone', async () => {
    const plan = JSON.stringify(
      await db.query(
        `EXPLAIN (FORMAT JSON) SELECT count(*) FROM wechat_grant WHERE app_id = 'wx1' AND refresh_due_at <= $1`,
        [new Date(NOW.getTime() - 2 * HOUR_MS)],
      ),
    );
    expect(plan).toContain('wechat_grant_refresh_due_idx');
  });
});

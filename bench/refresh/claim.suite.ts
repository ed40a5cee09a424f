import { randomInt, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { SystemRandomness } from '../../src/common/randomness.js';
import { Sealer } from '../../src/common/sealer.js';
import { RefreshRepository } from '../../src/grants/refresh.repository.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { type Figure, inTurns, median, progress, ratioOf, type Suite } from '../harness.js';
import { withDatabase } from '../postgres.js';
import { BATCH, KEY } from './host.js';

const APP_ID = 'wx0000000000000000';
const FEW = 10_000;
const MANY = 1_000_000;
const ROUNDS = 41;

interface Side {
  readonly dataSource: DataSource;
  readonly repository: RefreshRepository;
  readonly grants: number;
}

/** Whether a claim stays as cheap when a hundred times as many users are not due. */
export const claim: Suite = {
  name: 'claim',
  about: `time of one claim of ${BATCH} due grants among a million and among ten thousand; 1 minute`,
  run: () =>
    withDatabase((fewUrl) =>
      withDatabase(async (manyUrl) => {
        const few = await fill(fewUrl, FEW);
        const many = await fill(manyUrl, MANY);
        try {
          return await measure(few, many);
        } finally {
          await few.dataSource.destroy();
          await many.dataSource.destroy();
        }
      }),
    ),
};

async function measure(few: Side, many: Side): Promise<Figure[]> {
  progress(`claim: ${ROUNDS} claims in each, in turns`);
  for (const side of [few, many]) await claimOnce(side);
  const times = await inTurns(ROUNDS, [few, many], claimOnce);
  const ms = (side: Side): number => median(times.get(side) ?? []);
  return [ratioOf('claim', '1m/10k', 'ms', ms(many), ms(few))];
}

async function fill(url: string, grants: number): Promise<Side> {
  progress(`claim: ${grants} grants`);
  const dataSource = await new DataSource({
    type: 'postgres',
    url,
    entities: wechatAuthEntities,
    migrations: wechatAuthMigrations,
  }).initialize();
  await dataSource.runMigrations();
  // As long as real ones are, and due over the next two hours.
  await dataSource.query(
    `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
       access_token_expires_at, refresh_token_expires_at, consented_at, consent_expires_at, created_at, signed_in_at,
       refresh_due_at, refresh_failures, consent_review_at, consent_popup_wanted)
     SELECT $1, left('o' || md5(i::text), 28), 1, 'userinfo', 'alive', 'able', repeat(md5(i::text), 15), t.now,
       t.now + interval '30 days', t.now, t.now + interval '30 days', t.now, t.now,
       t.now + interval '1 minute' + random() * interval '2 hours', 0, t.now + interval '27 days', false
     FROM generate_series(1, $2::int) AS i, (SELECT clock_timestamp() AS now) AS t`,
    [APP_ID, grants],
  );
  await dataSource.query('VACUUM ANALYZE wechat_grant');
  const sealer = new Sealer([KEY], new SystemRandomness());
  return { dataSource, repository: new RefreshRepository(dataSource, sealer), grants };
}

/** Lets other grants be due each time. @returns how long their claim takes, in milliseconds. */
async function claimOnce({ dataSource, repository }: Side): Promise<number> {
  await dataSource.query(
    `UPDATE wechat_grant SET refresh_due_at = clock_timestamp() - interval '1 second'
     WHERE (app_id, openid) IN (
       SELECT app_id, openid FROM wechat_grant WHERE openid >= $1 AND refresh_lease_id IS NULL ORDER BY app_id, openid LIMIT $2
     )`,
    [`o${randomInt(128).toString(16).padStart(2, '0')}`, BATCH],
  );
  const now = new Date();
  const begin = performance.now();
  const claimed = await repository.claimDue(
    APP_ID,
    { leaseId: randomUUID(), now, leaseExpiresAt: new Date(now.getTime() + 120_000) },
    BATCH,
  );
  const ms = performance.now() - begin;
  if (claimed.length !== BATCH) throw new Error(`${claimed.length} grants were claimed instead of ${BATCH}.`);
  await dataSource.query(
    `UPDATE wechat_grant SET refresh_due_at = clock_timestamp() + interval '2 hours', refresh_lease_id = NULL,
       refresh_lease_expires_at = NULL
     WHERE refresh_lease_id = $1`,
    [claimed[0]?.leaseId],
  );
  return ms;
}

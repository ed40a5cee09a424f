import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { sealHeader } from '../../src/common/sealer.js';
import type { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { ACCESS_TOKEN_MS, grant, refreshesAt, serviceOf, stored } from '../refresh/refresh.harness.js';
import { TEST_KEY, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { type CommandRun, runCommand } from './command.runner.js';

// The module is started several times.
jest.setTimeout(60_000);

const NEW_KEY = `k2:${Buffer.alloc(32, 2).toString('base64')}`;
const PROMOTED = `${NEW_KEY},${TEST_KEY}`;

describe('a change of keys, while the service runs,', () => {
  let world: TestWorld;

  beforeEach(async () => {
    world = await TestWorld.create();
  });
  afterEach(() => world.close());

  const start = (keys: string): Promise<TestInstance> => world.start({ module: { keys } });

  function rotate(): Promise<CommandRun> {
    return runCommand(['rotate-keys', '--batch-size', '1'], {
      env: { DATABASE_URL: world.database.url, WECHAT_AUTH_KEYS: PROMOTED },
    });
  }

  it('costs no refresh and no token: what is due is refreshed once, whichever row is being re-sealed', async () => {
    const site = await start(`${TEST_KEY},${NEW_KEY}`);
    const rows: WechatGrant[] = [];
    for (const { openid } of world.wechat.users) rows.push(await grant(world, site, openid));
    rows.sort((a, b) => (a.openid < b.openid ? -1 : 1));
    const promoted = await start(PROMOTED);
    world.clock.advance(ACCESS_TOKEN_MS);
    // The second row is being written by the command while both instances refresh.
    await world.query(`
      CREATE FUNCTION refresh_meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock(5); RETURN NEW; END $$;
      CREATE TRIGGER refresh_meanwhile BEFORE UPDATE ON wechat_grant FOR EACH ROW
        WHEN (NEW.openid = '${rows[1]?.openid ?? ''}' AND current_setting('application_name') = 'nestjs-wechat-auth')
        EXECUTE FUNCTION refresh_meanwhile();`);
    const { release, held } = await holdLock(world);
    const run = rotate();
    await held();
    const [one, other] = [serviceOf(site), serviceOf(promoted)];
    await Promise.all([one.refreshDue(), other.refreshDue()]);
    await release();
    expect((await run).exitCode).toBe(0);
    await Promise.all([one.refreshDue(), other.refreshDue()]);
    expect(refreshesAt(world)).toHaveLength(rows.length);
    // Instances that are not promoted yet seal with the old key; the next run gets what that leaves.
    expect((await rotate()).exitCode).toBe(0);
    const last = await start(NEW_KEY);
    for (const row of rows) {
      expect((await stored(last, row)).sealedTokens.split('.')[0]).toBe(sealHeader('k2'));
      expect(await serviceOf(last).getAccessToken(row)).toBe(await one.getAccessToken(row));
    }
    expect(refreshesAt(world)).toHaveLength(rows.length);
  });

  it('has nobody asked for a consent again, before the old key is retired or after', async () => {
    const site = await start(TEST_KEY);
    const visitor = new Visitor();
    await visitor.answerConsent(await visitor.press(await visitor.open(`${site.url}/me`)), 'allow');
    const promoted = await start(PROMOTED);
    expect(await rotate()).toMatchObject({ exitCode: 0 });
    const between = await visitor.open(`${promoted.url}/me`);
    expect([between.status, between.body.includes('nickname')]).toEqual([200, true]);
    const retired = await start(NEW_KEY);
    const after = await visitor.open(`${retired.url}/me`);
    expect([after.status, after.url, after.body.includes('nickname')]).toEqual([
      200,
      `${retired.url}/me`,
      true,
    ]);
  });
});

/** Holds the lock that the trigger wants. */
async function holdLock(
  world: TestWorld,
): Promise<{ release: () => Promise<unknown>; held: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: world.database.url });
  await client.connect();
  await client.query('SELECT pg_advisory_lock(5)');
  return {
    release: () => client.end(),
    held: async () => {
      for (;;) {
        const { rowCount } = await client.query(
          `SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
           WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`,
        );
        if (rowCount === 1) return;
      }
    },
  };
}

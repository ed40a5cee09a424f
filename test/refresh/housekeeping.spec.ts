import { randomBytes, randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type INestApplication, Module } from '@nestjs/common';
import pg from 'pg';
import { SystemRandomness } from '../../src/common/randomness.js';
import { ErasureRepository } from '../../src/grants/erasure.repository.js';
import { ExpiredRepository } from '../../src/grants/expired.repository.js';
import { Revocations } from '../../src/grants/revocations.js';
import { Housekeeping } from '../../src/refresh/housekeeping.js';
import { HousekeepingTimer } from '../../src/refresh/housekeeping.timer.js';
import { LogBook } from '../sign-in/log-book.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { everythingBut } from '../support/timers.js';
import { Visitor } from '../support/visitor.js';
import { DAY_MS, grant, MINUTE_MS } from './refresh.harness.js';

/** Stands where `EventEmitterModule` of @nestjs/event-emitter would. */
class EventEmitter2 {
  static readonly told: [name: string, payload: unknown][] = [];

  emit(name: string, payload: unknown): void {
    EventEmitter2.told.push([name, payload]);
  }
}

@Module({ providers: [EventEmitter2] })
class EventEmitterModule {}

let world: TestWorld;
let one: TestInstance;
let two: TestInstance;
const log = new LogBook();

beforeAll(async () => {
  world = await TestWorld.create({ users: 3 });
  const configure = (app: INestApplication): void => app.useLogger(log);
  one = await world.start({ imports: [EventEmitterModule], configure });
  two = await world.start({ configure });
});
beforeEach(async () => {
  await world.reset();
  EventEmitter2.told.length = 0;
  log.errors = [];
});
afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});
afterAll(() => world.close());

function keeperOf({ app }: TestInstance): Housekeeping {
  return app.get(Housekeeping, { strict: false });
}

function ago(ms: number): Date {
  return new Date(world.clock.now().getTime() - ms);
}

async function count(table: string): Promise<number> {
  const [row] = await world.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return row?.count ?? 0;
}

/** Rows of sign-ins that say nothing any more from this instant on. */
async function insertSignIns(rows: number, expiresAt: Date): Promise<void> {
  await world.query(
    `INSERT INTO wechat_sign_in (id, code_digest, app_id, expires_at)
     SELECT gen_random_uuid(), decode(md5($1 || n::text), 'hex'), 'wx0123456789abcdef', $2
     FROM generate_series(1, $3) AS n`,
    [randomBytes(8).toString('hex'), expiresAt, rows],
  );
}

async function insertRevocations(rows: number, expiresAt: Date): Promise<void> {
  await world.query(
    `INSERT INTO wechat_revocation (kind, subject, revoked_at, expires_at)
     SELECT 'session', md5($1 || n::text), $2, $3 FROM generate_series(1, $4) AS n`,
    [randomBytes(8).toString('hex'), ago(DAY_MS), expiresAt, rows],
  );
}

/** A grant of the user of this number, last seen so long ago. */
async function seen(user: number, agoMs: number, column = 'signed_in_at'): Promise<string> {
  const { openid = '' } = world.wechat.users[user] ?? {};
  await grant(world, one, openid, 'base');
  await world.query(`UPDATE wechat_grant SET ${column} = $1 WHERE openid = $2`, [ago(agoMs), openid]);
  return openid;
}

async function kept(): Promise<string[]> {
  const rows = await world.query<{ openid: string }>('SELECT openid FROM wechat_grant');
  return rows.map(({ openid }) => openid).sort();
}

describe('what says nothing any more', () => {
  it('is deleted: sign-ins that are over and revocations of sessions that would have ended', async () => {
    await insertSignIns(2, ago(0));
    await insertSignIns(3, ago(-MINUTE_MS));
    await insertRevocations(4, ago(0));
    await insertRevocations(5, ago(-MINUTE_MS));
    await keeperOf(one).run();
    expect([await count('wechat_sign_in'), await count('wechat_revocation')]).toEqual([3, 5]);
  });

  it('is deleted in one go, a batch at a time, however much there is', async () => {
    await insertSignIns(2_500, ago(0));
    await insertRevocations(1_000, ago(0));
    const deletions = jest.spyOn(one.app.get(ExpiredRepository, { strict: false }), 'deleteSignIns');
    await keeperOf(one).run();
    expect([await count('wechat_sign_in'), await count('wechat_revocation')]).toEqual([0, 0]);
    expect(deletions).toHaveBeenCalledTimes(3);
  });

  it('keeps nobody waiting: a row that somebody holds is left for the next time', async () => {
    await insertSignIns(3, ago(0));
    const client = new pg.Client({ connectionString: world.database.url });
    await client.connect();
    try {
      await client.query('BEGIN; SELECT 1 FROM wechat_sign_in LIMIT 1 FOR UPDATE');
      await keeperOf(one).run();
      expect(await count('wechat_sign_in')).toBe(1);
    } finally {
      await client.end();
    }
    world.clock.advance(5 * MINUTE_MS);
    await keeperOf(one).run();
    expect(await count('wechat_sign_in')).toBe(0);
  });
});

describe('a user who does not come back', () => {
  it('is forgotten after 180 days, and nobody who was here since', async () => {
    const gone = await seen(0, 180 * DAY_MS + MINUTE_MS);
    const nearly = await seen(1, 180 * DAY_MS - MINUTE_MS);
    await keeperOf(one).run();
    expect(await kept()).toEqual([nearly]);
    const [{ appId } = { appId: '' }] = world.wechat.apps;
    expect(EventEmitter2.told).toEqual([['wechat.forgotten', { appId, openid: gone }]]);
    // Their last session has ended long ago.
    expect(await count('wechat_revocation')).toBe(0);
  });

  it('is forgotten also where no sign-in has ever completed', async () => {
    await seen(0, 180 * DAY_MS + MINUTE_MS, 'created_at');
    const nearly = await seen(1, 180 * DAY_MS - MINUTE_MS, 'created_at');
    await keeperOf(one).run();
    expect(await kept()).toEqual([nearly]);
  });

  it('is kept if they come back in the very moment', async () => {
    const back = await seen(0, 181 * DAY_MS);
    const erasures = one.app.get(ErasureRepository, { strict: false });
    const lookAt = erasures.lookAt.bind(erasures);
    jest.spyOn(erasures, 'lookAt').mockImplementationOnce(async (...parameters) => {
      const found = await lookAt(...parameters);
      await world.query('UPDATE wechat_grant SET signed_in_at = $1', [ago(0)]);
      return found;
    });
    await keeperOf(one).run();
    expect(await kept()).toEqual([back]);
    expect(EventEmitter2.told).toEqual([]);
  });

  it('is found among many, wherever in the table', async () => {
    await world.query(
      `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
         access_token_expires_at, refresh_token_expires_at, created_at, refresh_failures, consent_popup_wanted)
       SELECT 'wx0123456789abcdef', 'o' || to_char(n, 'FM00000'), 1, 'base', 'alive', 'unable', '', $1, $1,
         CASE WHEN n % 4 = 0 OR n > 5900 THEN $1::timestamptz ELSE $2::timestamptz END, 0, false
       FROM generate_series(1, 6000) AS n`,
      [ago(200 * DAY_MS), ago(0)],
    );
    await keeperOf(one).run();
    expect(await count('wechat_grant')).toBe(6_000 - 1_475 - 100);
    expect(await count(`wechat_grant WHERE created_at < '${ago(DAY_MS).toISOString()}'`)).toBe(0);
    expect(EventEmitter2.told).toHaveLength(1_475 + 100);
  });

  it('is signed out where a session outlives what is kept', async () => {
    const strict = await world.start({ module: { publicUrl: one.url, retainInactiveDays: 1 } });
    const visitor = new Visitor();
    expect((await visitor.open(`${one.url}/hello`)).status).toBe(200);
    world.clock.advance(DAY_MS + MINUTE_MS);
    await keeperOf(strict).run();
    expect(await kept()).toEqual([]);
    expect((await visitor.fetch(`${one.url}/hello`)).status).toBe(200);
    await one.app.get(Revocations, { strict: false }).poll();
    expect((await visitor.fetch(`${one.url}/hello`)).status).toBe(401);
  });

  it('is looked for once a day', async () => {
    await keeperOf(one).run();
    await seen(0, 181 * DAY_MS);
    world.clock.advance(DAY_MS - MINUTE_MS);
    await keeperOf(two).run();
    expect(await kept()).toHaveLength(1);
    world.clock.advance(MINUTE_MS);
    await keeperOf(two).run();
    expect(await kept()).toEqual([]);
  });
});

describe('of several instances', () => {
  function deletionsOf({ app }: TestInstance): jest.SpiedFunction<ExpiredRepository['deleteSignIns']> {
    return jest.spyOn(app.get(ExpiredRepository, { strict: false }), 'deleteSignIns');
  }

  it('one does it for all', async () => {
    const deletions = [deletionsOf(one), deletionsOf(two)];
    await Promise.all([keeperOf(one).run(), keeperOf(two).run(), keeperOf(one).run()]);
    expect(deletions.flatMap(({ mock }) => mock.calls)).toHaveLength(1);
  });

  it('any does it five minutes later', async () => {
    await keeperOf(one).run();
    await insertSignIns(1, ago(0));
    world.clock.advance(5 * MINUTE_MS - 1_000);
    await keeperOf(two).run();
    expect(await count('wechat_sign_in')).toBe(1);
    world.clock.advance(1_000);
    await keeperOf(two).run();
    expect(await count('wechat_sign_in')).toBe(0);
  });

  it('one that has died in the middle is replaced after two minutes', async () => {
    await insertSignIns(1, ago(0));
    // What it leaves behind.
    await world.query(
      `INSERT INTO wechat_lease (name, holder_id, expires_at) VALUES ('expired', $1, $2), ('retention', $1, $2)`,
      [randomUUID(), ago(-2 * MINUTE_MS)],
    );
    await keeperOf(one).run();
    expect(await count('wechat_sign_in')).toBe(1);
    world.clock.advance(2 * MINUTE_MS);
    await keeperOf(one).run();
    expect(await count('wechat_sign_in')).toBe(0);
  });

  it('one that fails lets the next one do it at once', async () => {
    await insertSignIns(1, ago(0));
    deletionsOf(one).mockRejectedValueOnce(new Error('the disk is full'));
    await expect(keeperOf(one).run()).rejects.toThrow('the disk is full');
    await keeperOf(two).run();
    expect(await count('wechat_sign_in')).toBe(0);
  });

  it('one that was taken for dead stops when it comes back', async () => {
    await insertSignIns(2_500, ago(0));
    const expired = one.app.get(ExpiredRepository, { strict: false });
    const deleteSignIns = expired.deleteSignIns.bind(expired);
    const deletions = jest.spyOn(expired, 'deleteSignIns').mockImplementation(async (now, limit) => {
      const deleted = await deleteSignIns(now, limit);
      await world.query(`UPDATE wechat_lease SET holder_id = $1`, [randomUUID()]);
      return deleted;
    });
    await keeperOf(one).run();
    expect(deletions).toHaveBeenCalledTimes(1);
    const [lease] = await world.query<{ expires_at: Date }>(
      `SELECT expires_at FROM wechat_lease WHERE name = 'expired'`,
    );
    // The other one's, untouched.
    expect(lease?.expires_at.getTime()).toBeGreaterThan(world.clock.now().getTime());
  });

  it('one that shuts down ends its statement, and lets the next one go on at once', async () => {
    const leaving = await world.start();
    await insertSignIns(2_500, ago(0));
    const expired = leaving.app.get(ExpiredRepository, { strict: false });
    const deleteSignIns = expired.deleteSignIns.bind(expired);
    let shutdown: Promise<void> | undefined;
    jest.spyOn(expired, 'deleteSignIns').mockImplementation(async (now, limit) => {
      shutdown = leaving.app.get(HousekeepingTimer, { strict: false }).beforeApplicationShutdown();
      return deleteSignIns(now, limit);
    });
    const run = keeperOf(leaving).run();
    await run;
    await shutdown;
    expect(await count('wechat_sign_in')).toBe(1_500);
    await keeperOf(one).run();
    expect(await count('wechat_sign_in')).toBe(0);
  });
});

describe('the housekeeping', () => {
  let own: TestInstance;
  let timer: HousekeepingTimer;
  let runs: jest.SpiedFunction<Housekeeping['run']>;

  beforeEach(async () => {
    own = await world.start({ configure: (app) => app.useLogger(log) });
    jest.useFakeTimers({ doNotFake: everythingBut('setTimeout', 'clearTimeout') });
    timer = new HousekeepingTimer(new SystemRandomness(), keeperOf(own));
    runs = jest.spyOn(keeperOf(own), 'run');
    timer.onApplicationBootstrap();
  });
  afterEach(() => timer.beforeApplicationShutdown());

  /** Lets time pass until it has run so many times in all. */
  async function untilRuns(times: number): Promise<void> {
    while (runs.mock.calls.length < times) {
      await setImmediate();
      jest.advanceTimersByTime(MINUTE_MS);
    }
  }

  it('comes every ten minutes, also where no tokens are refreshed, and never at the start', async () => {
    jest.advanceTimersByTime(9 * MINUTE_MS - 1);
    expect(runs).not.toHaveBeenCalled();
    jest.advanceTimersByTime(2 * MINUTE_MS + 1);
    expect(runs).toHaveBeenCalledTimes(1);
    await untilRuns(2);
  });

  it('comes no more after the end', async () => {
    await untilRuns(1);
    await timer.beforeApplicationShutdown();
    jest.advanceTimersByTime(30 * MINUTE_MS);
    expect(runs).toHaveBeenCalledTimes(1);
  });

  it('goes on after a failure, which the log tells once', async () => {
    runs.mockRejectedValue(new Error('the database is down'));
    await untilRuns(3);
    await log.untilError('the database is down');
    expect(log.errors).toHaveLength(1);
  });
});

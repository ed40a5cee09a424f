import { setImmediate } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import {
  RevocationRepository,
  sessionRevocation,
  userRevocation,
} from '../../src/grants/revocation.repository.js';
import { Revocations } from '../../src/grants/revocations.js';
import { wechatAuthEntities, wechatAuthMigrations, type WechatSession } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TurnableClock } from '../support/test-app.js';
import { everythingBut } from '../support/timers.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let database: TestDatabase;
let dataSource: DataSource;
let clock: TurnableClock;
let rows: RevocationRepository;
let revocations: Revocations;
let sessionCount = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: wechatAuthEntities,
    migrations: wechatAuthMigrations,
  }).initialize();
  await dataSource.runMigrations();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});
beforeEach(async () => {
  await dataSource.query('TRUNCATE wechat_revocation');
  clock = new TurnableClock();
  rows = new RevocationRepository(dataSource);
  revocations = new Revocations(clock, rows);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await revocations.beforeApplicationShutdown();
  jest.useRealTimers();
});

/** A session that was issued just now. */
function session(changes: Partial<WechatSession> = {}): WechatSession {
  const issuedAt = clock.now();
  return {
    id: (++sessionCount).toString(16).padStart(32, '0'),
    appId: 'wx0123456789abcdef',
    openid: 'o-mei',
    issuedAt,
    expiresAt: new Date(issuedAt.getTime() + 30 * DAY_MS),
    snapshot: false,
    ...changes,
  };
}

function later(ms: number): Date {
  return new Date(clock.now().getTime() + ms);
}

/** As on another instance. */
function elsewhere(): Revocations {
  return new Revocations(clock, rows);
}

describe('a session that was revoked on another instance', () => {
  it('is over here from the next look on, and no other session is', async () => {
    const [mine, other] = [session(), session()];
    await elsewhere().revoke(mine);
    expect(revocations.isRevoked(mine)).toBe(false);
    await revocations.poll();
    expect(revocations.isRevoked(mine)).toBe(true);
    expect(revocations.isRevoked(other)).toBe(false);
  });

  it('is found however many there are', async () => {
    const many = Array.from({ length: 12_000 }, () => session());
    const at = clock.now();
    await rows.save(many.map((one) => sessionRevocation(one, at)));
    await revocations.poll();
    expect(many.filter((one) => !revocations.isRevoked(one))).toEqual([]);
  });

  it('is found up to five minutes late: its row may be written long after the instant that it names', async () => {
    const [slow, slower] = [session(), session()];
    const instant = clock.now();
    clock.advance(5 * MINUTE_MS - 1_000);
    await revocations.poll();
    await rows.save([sessionRevocation(slow, instant)]);
    await revocations.poll();
    expect(revocations.isRevoked(slow)).toBe(true);
    // Nobody looks further back than that, each time.
    await rows.save([sessionRevocation(slower, new Date(instant.getTime() - 10 * MINUTE_MS))]);
    await revocations.poll();
    expect(revocations.isRevoked(slower)).toBe(false);
  });

  it('is looked for every 30 seconds, and no more after the end', async () => {
    jest.useFakeTimers({ doNotFake: everythingBut('setTimeout', 'clearTimeout') });
    await revocations.onApplicationBootstrap();
    const first = session();
    await elsewhere().revoke(first);
    const polls = jest.spyOn(revocations, 'poll');
    jest.advanceTimersByTime(29_999);
    expect(polls).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    await polls.mock.results[0]?.value;
    expect(revocations.isRevoked(first)).toBe(true);
    // And again, a pause after that one has ended.
    while (polls.mock.calls.length < 2) {
      await setImmediate();
      jest.advanceTimersByTime(30_000);
    }

    await revocations.beforeApplicationShutdown();
    jest.advanceTimersByTime(60_000);
    expect(polls).toHaveBeenCalledTimes(2);
  });

  it('is known in the end also where the shutdown comes while it is looked for', async () => {
    jest.useFakeTimers({ doNotFake: everythingBut('setTimeout', 'clearTimeout') });
    await revocations.onApplicationBootstrap();
    const first = session();
    await elsewhere().revoke(first);
    jest.advanceTimersByTime(30_000);
    await revocations.beforeApplicationShutdown();
    expect(revocations.isRevoked(first)).toBe(true);
  });
});

describe('a user whose sessions were all revoked', () => {
  it('is out with those from before, and in with a new one', async () => {
    const before = session();
    const { appId, openid } = before;
    await rows.save([userRevocation({ appId, openid }, later(1), 30 * DAY_MS)]);
    await revocations.poll();
    expect(revocations.isRevoked(before)).toBe(true);
    expect(revocations.isRevoked(session({ openid: 'o-lin' }))).toBe(false);
    expect(revocations.isRevoked(session({ appId: 'wxfedcba9876543210' }))).toBe(false);
    expect(revocations.isRevoked(session({ issuedAt: later(2) }))).toBe(false);
  });

  it('is out with all from before the last time, in whatever order the rows are read', async () => {
    const { appId, openid, ...between } = session({ issuedAt: later(10) });
    const first = userRevocation({ appId, openid }, later(1), 30 * DAY_MS);
    const second = userRevocation({ appId, openid }, later(20), 30 * DAY_MS);
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const some = elsewhere();
      some.take(order);
      expect(some.isRevoked({ appId, openid, ...between })).toBe(true);
    }
    await rows.save([second]);
    await rows.save([first]);
    await revocations.poll();
    expect(revocations.isRevoked({ appId, openid, ...between })).toBe(true);
  });

  it('is not named in the database', async () => {
    const { appId, openid } = session();
    await rows.save([userRevocation({ appId, openid }, clock.now(), DAY_MS)]);
    expect(JSON.stringify(await dataSource.query('SELECT * FROM wechat_revocation'))).not.toContain(openid);
  });
});

describe('what has had its time', () => {
  it('is not read, and not kept', async () => {
    const short = session({ expiresAt: later(DAY_MS) });
    const { appId, openid } = short;
    await elsewhere().revoke(short);
    await rows.save([userRevocation({ appId, openid: `${openid}-2` }, clock.now(), DAY_MS)]);
    await revocations.poll();
    expect(revocations.size).toBe(2);
    clock.advance(DAY_MS + 1_000);
    await revocations.poll();
    expect(revocations.size).toBe(0);
    const started = elsewhere();
    await started.poll();
    expect(started.size).toBe(0);
  });

  it('makes no row: a session that has ended by itself', async () => {
    await revocations.revoke(session({ expiresAt: clock.now() }));
    expect(await dataSource.query('SELECT 1 FROM wechat_revocation')).toEqual([]);
  });
});

describe('while the database cannot be reached', () => {
  let errors: jest.SpiedFunction<Logger['error']>;
  let logs: jest.SpiedFunction<Logger['log']>;

  beforeEach(async () => {
    await revocations.poll();
    errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    logs = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    await dataSource.query('ALTER TABLE wechat_revocation RENAME TO out_of_reach');
  });
  afterEach(() => dataSource.query('ALTER TABLE IF EXISTS out_of_reach RENAME TO wechat_revocation'));

  async function reachAgain(): Promise<void> {
    await dataSource.query('ALTER TABLE out_of_reach RENAME TO wechat_revocation');
  }

  it('a session that is revoked is over here, and elsewhere once the database is back', async () => {
    const mine = session();
    await revocations.revoke(mine);
    // The button pressed twice.
    await revocations.revoke(mine);
    expect(revocations.isRevoked(mine)).toBe(true);
    await reachAgain();
    await revocations.poll();
    const other = elsewhere();
    await other.poll();
    expect(other.isRevoked(mine)).toBe(true);
  });

  it('what could not be written is written at the end at the latest', async () => {
    const mine = session();
    await revocations.revoke(mine);
    await reachAgain();
    await revocations.beforeApplicationShutdown();
    const other = elsewhere();
    await other.poll();
    expect(other.isRevoked(mine)).toBe(true);
  });

  it('what is known holds, and says since when nothing was heard', async () => {
    const known = session();
    revocations.take([sessionRevocation(known, clock.now())]);
    const heardAt = revocations.lastPolledAt;
    clock.advance(MINUTE_MS);
    await expect(revocations.poll()).rejects.toThrow('wechat_revocation');
    expect(revocations.lastPolledAt).toEqual(heardAt);
    expect(revocations.isRevoked(known)).toBe(true);
    await reachAgain();
    await revocations.poll();
    expect(revocations.lastPolledAt?.getTime()).toBeGreaterThan(heardAt?.getTime() ?? 0);
  });

  it('one line in the log says so, and one that it is over', async () => {
    await revocations.revoke(session());
    await revocations.revoke(session());
    await revocations.beforeApplicationShutdown();
    expect(errors).toHaveBeenCalledTimes(1);
    expect(errors).toHaveBeenCalledWith(expect.stringContaining('sessions go on'));
    expect(logs).not.toHaveBeenCalled();
    await reachAgain();
    await revocations.beforeApplicationShutdown();
    expect(logs).toHaveBeenCalledTimes(1);
    expect(errors).toHaveBeenCalledTimes(1);
  });
});

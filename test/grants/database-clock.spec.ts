import { Logger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { DatabaseClock } from '../../src/grants/database-clock.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const PROBE_INTERVAL_MS = 60_000;
/** More than a busy machine takes between two lines of a test, and far less than the shifts below. */
const LEEWAY_MS = 60_000;

let database: TestDatabase;
let dataSource: DataSource;
let clock: DatabaseClock;

/**
 * A function of the same name, in a schema that PostgreSQL searches before its own: a server whose time is
 * elsewhere, or which cannot tell it.
 */
beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource({
    type: 'postgres',
    url: database.url,
    extra: { options: '-c search_path=turned,pg_catalog,public' },
  }).initialize();
  await dataSource.query('CREATE SCHEMA turned');
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

beforeEach(() => {
  clock = new DatabaseClock(dataSource);
});
afterEach(() => {
  clock.onModuleDestroy();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

async function turnDatabase(ms: number): Promise<void> {
  await dataSource.query(
    `CREATE OR REPLACE FUNCTION turned.clock_timestamp() RETURNS timestamptz LANGUAGE sql
     AS $$ SELECT pg_catalog.clock_timestamp() + interval '${ms} milliseconds' $$`,
  );
}

async function breakDatabase(): Promise<void> {
  await dataSource.query(
    `CREATE OR REPLACE FUNCTION turned.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql
     AS $$ BEGIN RAISE EXCEPTION 'no time today'; END $$`,
  );
}

function aheadOfThisMachine(): number {
  return clock.now().getTime() - Date.now();
}

function expectAhead(ms: number): void {
  expect(Math.abs(aheadOfThisMachine() - ms)).toBeLessThan(LEEWAY_MS);
}

function turnIntervalsByHand(): void {
  jest.useFakeTimers({
    doNotFake: [
      ...(['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask'] as const),
      ...(['setImmediate', 'clearImmediate', 'setTimeout', 'clearTimeout'] as const),
    ],
  });
}

/** Lets a minute pass for the clock's timer alone. Resolves when the probe has given its connection back. */
async function nextProbe(): Promise<void> {
  const createQueryRunner = dataSource.createQueryRunner.bind(dataSource);
  const probed = new Promise<void>((resolve) => {
    jest.spyOn(dataSource, 'createQueryRunner').mockImplementationOnce((...parameters) => {
      const runner = createQueryRunner(...parameters);
      const release = runner.release.bind(runner);
      runner.release = async () => {
        await release();
        resolve();
      };
      return runner;
    });
  });
  jest.advanceTimersByTime(PROBE_INTERVAL_MS);
  await probed;
}

describe('the clock', () => {
  it.each([
    ['ahead of', DAY_MS],
    ['behind', -400 * DAY_MS],
    ['the same as', 0],
  ])('tells the database’s time where that is %s this machine’s', async (_, shiftMs) => {
    await turnDatabase(shiftMs);
    await clock.onModuleInit();
    expectAhead(shiftMs);
  });

  it('tells a time between those of two statements around it', async () => {
    await turnDatabase(3 * DAY_MS);
    await clock.onModuleInit();
    const ask = async (): Promise<Date> => {
      const [row] = await dataSource.query<[{ now: Date }]>('SELECT clock_timestamp() AS now');
      return row.now;
    };
    const before = await ask();
    const told = clock.now();
    const later = await ask();
    // Half of the probe's way, there and back on one machine.
    const doubtMs = 1_000;
    expect(told.getTime()).toBeGreaterThanOrEqual(before.getTime() - doubtMs);
    expect(told.getTime()).toBeLessThanOrEqual(later.getTime() + doubtMs);
  });

  it('goes on with the monotonic clock, whatever happens to this machine’s', async () => {
    await turnDatabase(DAY_MS);
    await clock.onModuleInit();
    const monotonic = performance.now();
    const machine = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(machine - 99 * DAY_MS);
    const performanceNow = jest.spyOn(performance, 'now').mockReturnValue(monotonic);
    const first = clock.now().getTime();
    performanceNow.mockReturnValue(monotonic + 12_345);
    expect(clock.now().getTime() - first).toBeCloseTo(12_345, -1);
    expect(Math.abs(first - (machine + DAY_MS))).toBeLessThan(LEEWAY_MS);
  });

  it('splits the way to the database and back evenly', async () => {
    await dataSource.query(
      `CREATE OR REPLACE FUNCTION turned.clock_timestamp() RETURNS timestamptz LANGUAGE sql
       AS $$ SELECT '2030-01-01T00:00:00Z'::timestamptz $$`,
    );
    jest
      .spyOn(performance, 'now')
      .mockReturnValueOnce(10_000)
      .mockReturnValueOnce(14_000)
      .mockReturnValueOnce(14_000);
    await clock.onModuleInit();
    expect(clock.now()).toEqual(new Date('2030-01-01T00:00:02Z'));
  });

  it('tells this machine’s time before it was started', async () => {
    await turnDatabase(DAY_MS);
    expectAhead(0);
  });

  it('does not start where the database does not tell', async () => {
    await breakDatabase();
    await expect(clock.onModuleInit()).rejects.toThrow('no time today');
  });
});

describe('every minute', () => {
  beforeEach(async () => {
    turnIntervalsByHand();
    await turnDatabase(DAY_MS);
    await clock.onModuleInit();
  });

  it('the clock is corrected', async () => {
    await turnDatabase(2 * DAY_MS);
    expectAhead(DAY_MS);
    await nextProbe();
    expectAhead(2 * DAY_MS);
    await turnDatabase(3 * DAY_MS);
    await nextProbe();
    expectAhead(3 * DAY_MS);
  });

  it('a failure is logged and survived: the last offset stays, until it is measured again', async () => {
    const warned = new Promise<unknown>((resolve) => {
      jest.spyOn(Logger.prototype, 'warn').mockImplementation(resolve);
    });
    await breakDatabase();
    await nextProbe();
    expect(await warned).toContain('no time today');
    expectAhead(DAY_MS);
    await turnDatabase(2 * DAY_MS);
    await nextProbe();
    expectAhead(2 * DAY_MS);
  });

  it('nothing happens any more once the module is destroyed', () => {
    expect(jest.getTimerCount()).toBe(1);
    clock.onModuleDestroy();
    expect(jest.getTimerCount()).toBe(0);
    const createQueryRunner = jest.spyOn(dataSource, 'createQueryRunner');
    jest.advanceTimersByTime(10 * PROBE_INTERVAL_MS);
    expect(createQueryRunner).not.toHaveBeenCalled();
  });
});

describe('a clock that was never started', () => {
  it('can be destroyed', () => {
    expect(() => clock.onModuleDestroy()).not.toThrow();
  });
});

import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { DatabaseClock } from '../../src/grants/database-clock.js';
import { WechatHealthIndicator } from '../../src/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { ACCESS_TOKEN_MS, DAY_MS, grant, MINUTE_MS, serviceOf, stored } from './refresh.harness.js';
import { EventEmitter2, EventEmitterModule } from './told.events.js';

const { TIMESTAMPTZ } = pg.types.builtins;

// As a host may have told its driver, for a time library of its own.
let world: TestWorld;
let one: TestInstance;
const asDates = pg.types.getTypeParser(TIMESTAMPTZ) as (text: string) => Date;

beforeAll(async () => {
  pg.types.setTypeParser(TIMESTAMPTZ, (text: string) => text);
  world = await TestWorld.create();
  one = await world.start({ imports: [EventEmitterModule], module: { refresh: { activeWithinDays: 7 } } });
});
beforeEach(async () => {
  await world.reset();
  EventEmitter2.told.length = 0;
});
afterAll(async () => {
  await world.close();
  pg.types.setTypeParser(TIMESTAMPTZ, asDates);
});

it('tells the time of a database whose instants come as texts', async () => {
  const dataSource = await new DataSource({ type: 'postgres', url: world.database.url }).initialize();
  try {
    const clock = new DatabaseClock(dataSource);
    await clock.onModuleInit();
    clock.onModuleDestroy();
    expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(MINUTE_MS);
  } finally {
    await dataSource.destroy();
  }
});

it('refreshes, gives pairs up and reviews consents all the same', async () => {
  const openid = world.wechat.users[0]?.openid ?? '';
  const row = await grant(world, one, openid);
  await world.query('UPDATE wechat_grant SET signed_in_at = created_at');
  world.clock.advance(ACCESS_TOKEN_MS);
  const health = await one.app.get(WechatHealthIndicator, { strict: false }).isHealthy();
  expect(health.wechat).toMatchObject({ database: 'up', backlog: 1 });
  expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 1, failed: 0 });
  // Active, and so kept alive.
  expect((await stored(one, row)).refreshDueAt).not.toBeNull();

  await world.wechat.user(openid).changePassword();
  for (let attempt = 0; attempt < 2; attempt++) {
    world.clock.advance(ACCESS_TOKEN_MS);
    expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 0, failed: 1 });
  }
  expect(await stored(one, row)).toMatchObject({ pairStatus: 'dead', refreshDueAt: null });

  world.clock.advance(28 * DAY_MS);
  await serviceOf(one).refreshDue();
  const due = EventEmitter2.told.find(({ name }) => name === 'wechat.consent-due');
  expect(due?.payload).toMatchObject({ openid, endsAt: expect.any(Date) });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { LogBook } from '../sign-in/log-book.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { ACCESS_TOKEN_MS, grant, refreshesAt, stored } from './refresh.harness.js';

describe('an instance that refreshes by itself', () => {
  const log = new LogBook();
  let world: TestWorld;
  let watcher: TestInstance;
  let openid: string;

  beforeAll(async () => {
    world = await TestWorld.create();
    watcher = await world.start();
    openid = world.wechat.users[0]?.openid ?? '';
  });
  beforeEach(async () => {
    await world.reset();
    log.errors = [];
  });
  afterAll(() => world.close());

  function start(): Promise<TestInstance> {
    return world.start({
      module: { refresh: { intervalMs: 20 } },
      configure: (app: INestApplication): void => app.useLogger(log),
    });
  }

  async function dueGrant(): Promise<WechatGrant> {
    const row = await grant(world, watcher, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    return row;
  }

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise(setImmediate);
  }

  it('needs nobody to ask it to, again and again', async () => {
    const { app } = await start();
    const row = await dueGrant();
    await until(async () => (await stored(watcher, row)).pairVersion === 2);
    world.clock.advance(ACCESS_TOKEN_MS);
    await until(async () => (await stored(watcher, row)).pairVersion === 3);
    await app.close();
  });

  it('stops only after what is under way has been answered and written', async () => {
    const { app } = await start();
    await world.wechat.failNext('refresh', { delayMs: 300 });
    const row = await dueGrant();
    await until(() => refreshesAt(world).length === 1);
    await app.close();
    expect(await stored(watcher, row)).toMatchObject({ pairVersion: 2, refreshLeaseId: null });
  });

  it('says once that the database fails, goes on trying, and refreshes when it is back', async () => {
    const { app } = await start();
    await world.query('ALTER TABLE wechat_account_state RENAME TO away');
    await log.untilError('could not be refreshed');
    const row = await dueGrant();
    await world.query('ALTER TABLE away RENAME TO wechat_account_state');
    await until(async () => (await stored(watcher, row)).pairVersion === 2);
    await app.close();
    expect(log.errors.filter((line) => line.includes('could not be refreshed'))).toHaveLength(1);
  });
});

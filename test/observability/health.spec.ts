import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { Revocations } from '../../src/grants/revocations.js';
import { WechatHealthIndicator } from '../../src/index.js';
import { grant, HOUR_MS, MINUTE_MS, serviceOf } from '../refresh/refresh.harness.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

interface Answer {
  status: number;
  body: HealthCheckResult;
}

/** As a host would write it. */
@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) private readonly health: HealthCheckService,
    @Inject(WechatHealthIndicator) private readonly wechat: WechatHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.wechat.isHealthy('wechat')]);
  }

  @Get('ready')
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([
      async () =>
        this.wechat.isHealthy('wechat', {
          maxBacklogAgeMs: Infinity,
          maxRevocationsAgeMs: Infinity,
          allowStoppedAccounts: true,
        }),
    ]);
  }
}

describe('the health indicator, asked by Terminus', () => {
  let world: TestWorld;
  let site: TestInstance;
  let appId: string;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      module: { refresh: { intervalMs: MINUTE_MS } },
      imports: [TerminusModule],
      controllers: [HealthController],
    });
    appId = world.wechat.apps[0]?.appId ?? '';
  });
  beforeEach(async () => {
    await world.reset();
    await world.query('DELETE FROM wechat_account_state');
  });
  afterAll(() => world.close());

  /** After this instance has read who has signed out elsewhere, which it does by a clock that no test turns. */
  async function ask(path?: string): Promise<Answer> {
    await site.app.get(Revocations, { strict: false }).poll();
    return askAtOnce(path);
  }

  async function askAtOnce(path = '/health'): Promise<Answer> {
    // What was read a moment ago is not read again.
    world.clock.advance(1_001);
    const response = await fetch(site.url + path);
    return { status: response.status, body: (await response.json()) as HealthCheckResult };
  }

  it('is up while nothing is wrong', async () => {
    const { status, body } = await ask();
    expect(status).toBe(200);
    expect(body.info).toEqual({
      wechat: {
        status: 'up',
        database: 'up',
        backlog: 0,
        backlogAgeSeconds: 0,
        revocationsAgeSeconds: expect.any(Number),
        stoppedAccounts: [],
      },
    });
  });

  it('is down when a refresh has been due for more than five minutes', async () => {
    await grant(world, site, world.wechat.users[0]?.openid ?? '');
    world.clock.advance(2 * HOUR_MS - 10 * MINUTE_MS + 4 * MINUTE_MS);
    expect((await ask()).status).toBe(200);
    world.clock.advance(2 * MINUTE_MS);
    const { status, body } = await ask();
    expect(status).toBe(503);
    expect(body.error).toMatchObject({
      wechat: {
        status: 'down',
        database: 'up',
        message: expect.stringContaining('not refreshed'),
        backlog: 1,
      },
    });
    expect((await ask('/health/ready')).status).toBe(200);

    await serviceOf(site).refreshDue();
    expect((await ask()).status).toBe(200);
  });

  it('is down while an account is stopped', async () => {
    await grant(world, site, world.wechat.users[0]?.openid ?? '');
    world.clock.advance(2 * HOUR_MS - 10 * MINUTE_MS);
    await world.wechat.failNext('refresh', { errcode: 40013 });
    await serviceOf(site).refreshDue();
    const { status, body } = await ask();
    expect(status).toBe(503);
    expect(body.error).toMatchObject({
      wechat: {
        message: expect.stringContaining('misconfigured'),
        stoppedAccounts: [{ appId, errcode: 40013 }],
      },
    });
    expect((await ask('/health/ready')).status).toBe(200);
  });

  it('is down when nothing has been heard for two minutes of who signs out elsewhere, and requests go on', async () => {
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    await ask();
    await world.query('ALTER TABLE wechat_revocation RENAME TO elsewhere');
    await expect(site.app.get(Revocations, { strict: false }).poll()).rejects.toThrow('wechat_revocation');
    world.clock.advance(MINUTE_MS);
    expect((await askAtOnce()).status).toBe(200);
    world.clock.advance(MINUTE_MS);
    const { status, body } = await askAtOnce();
    expect(status).toBe(503);
    expect(body.error).toMatchObject({
      wechat: { database: 'up', message: expect.stringContaining('Sign-outs') },
    });
    expect(body.error?.['wechat']?.['revocationsAgeSeconds']).toBeGreaterThan(120);
    expect((await askAtOnce('/health/ready')).status).toBe(200);
    expect((await visitor.open(`${site.url}/hello`)).trail).toHaveLength(1);

    await world.query('ALTER TABLE elsewhere RENAME TO wechat_revocation');
    expect((await ask()).status).toBe(200);
  });

  it('is down when the database fails, and does not say where the database is', async () => {
    await world.query('ALTER TABLE wechat_account_state RENAME TO elsewhere');
    const { status, body } = await ask('/health/ready');
    await world.query('ALTER TABLE elsewhere RENAME TO wechat_account_state');
    expect(status).toBe(503);
    expect(body.error).toEqual({
      wechat: { status: 'down', database: 'down', message: 'The database does not answer.' },
    });
    expect((await ask('/health/ready')).status).toBe(200);
  });

  it('is down when the database keeps it waiting', async () => {
    const indicator = site.app.get(WechatHealthIndicator);
    const other = new pg.Client({ connectionString: world.database.url });
    await other.connect();
    await other.query('BEGIN; LOCK TABLE wechat_account_state IN ACCESS EXCLUSIVE MODE');
    world.clock.advance(1_001);
    const { wechat } = await indicator.isHealthy('wechat', { timeoutMs: 20 });
    await other.end();
    expect(wechat).toMatchObject({ status: 'down', database: 'down' });
    expect((await ask()).status).toBe(200);
  });
});

describe('the health indicator of an instance that leaves refreshes to others', () => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start();
  });
  afterAll(() => world.close());

  it('tells how old the backlog is, and has no limit unless it is given one', async () => {
    await grant(world, site, world.wechat.users[0]?.openid ?? '');
    world.clock.advance(12 * HOUR_MS);
    await site.app.get(Revocations, { strict: false }).poll();
    const indicator = site.app.get(WechatHealthIndicator);
    const { tokens } = await indicator.isHealthy('tokens');
    expect(tokens).toMatchObject({ status: 'up', backlog: 1 });
    expect(tokens.backlogAgeSeconds).toBeGreaterThan(10 * 60 * 60);
    expect(await indicator.isHealthy('wechat', { maxBacklogAgeMs: HOUR_MS })).toMatchObject({
      wechat: { status: 'down' },
    });
  });
});

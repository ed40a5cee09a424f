import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ACCESS_TOKEN_MS, grant, HOUR_MS, MINUTE_MS, serviceOf } from '../refresh/refresh.harness.js';
import { LogBook } from '../sign-in/log-book.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { MetricsSdk } from './metrics.harness.js';

/** Keeps warnings and what is said when all is well again. */
class WholeLogBook extends LogBook {
  lines: string[] = [];

  override log(message?: unknown): void {
    this.lines.push(String(message));
  }

  override warn(message?: unknown): void {
    this.lines.push(String(message));
  }
}

describe('metrics', () => {
  const log = new WholeLogBook();
  let sdk: MetricsSdk;
  let world: TestWorld;
  let site: TestInstance;
  let appId: string;
  let openids: string[];

  beforeAll(async () => {
    sdk = new MetricsSdk();
    world = await TestWorld.create({ users: 5 });
    site = await world.start({ configure: (app: INestApplication) => app.useLogger(log) });
    appId = world.wechat.apps[0]?.appId ?? '';
    openids = world.wechat.users.map(({ openid }) => openid);
  });
  beforeEach(async () => {
    await world.reset();
    await world.query('DELETE FROM wechat_account_state; DELETE FROM wechat_quota');
    log.lines = [];
  });
  afterAll(async () => {
    await world.close();
    await sdk.close();
  });

  const account = (more: Record<string, string> = {}): Record<string, string> => ({
    'wechat.app_id': appId,
    ...more,
  });

  /** Figures are kept for a while; this lets it pass. */
  async function nowValue(name: string, attributes: Record<string, string> = {}): Promise<unknown> {
    world.clock.advance(5 * MINUTE_MS + 1);
    return sdk.value(name, account(attributes));
  }

  /** By how much a counter, or the count of a histogram, grows. */
  async function growth(
    name: string,
    attributes: Record<string, string>,
    work: () => Promise<unknown>,
  ): Promise<number> {
    const total = async (): Promise<number> => {
      const value = await sdk.value(name, attributes);
      return typeof value === 'object' ? (value as { count: number }).count : Number(value ?? 0);
    };
    const before = await total();
    await work();
    return (await total()) - before;
  }

  async function grants(): Promise<Record<string, unknown>> {
    world.clock.advance(5 * MINUTE_MS + 1);
    const points = await sdk.points('wechat_auth.grants');
    const named = points.map(({ attributes, value }) => [
      `consent ${String(attributes['wechat.consent.state'])}, pair ${String(attributes['wechat.pair.state'])}`,
      value,
    ]);
    expect(named).toHaveLength(12);
    return Object.fromEntries(named.filter(([, value]) => value !== 0)) as Record<string, unknown>;
  }

  it('count grants by the state of consent and pair', async () => {
    expect(await grants()).toEqual({});
    await world.wechat.signInAs(openids[0] ?? '');
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    expect(await grants()).toEqual({ 'consent none, pair alive': 1 });
    await visitor.answerConsent(await visitor.press(await visitor.open(`${site.url}/me`)), 'allow');
    await grant(world, site, openids[1] ?? '', 'base');
    expect(await grants()).toEqual({ 'consent none, pair alive': 1, 'consent live, pair alive': 1 });

    world.clock.advance(28 * 24 * HOUR_MS);
    await serviceOf(site).refreshDue();
    expect(await grants()).toMatchObject({ 'consent due, pair alive': 1 });
    world.clock.advance(2 * 24 * HOUR_MS);
    expect(await grants()).toEqual({ 'consent none, pair dead': 1, 'consent ended, pair dead': 1 });
  });

  it('count a pair that WeChat has rejected as suspect', async () => {
    await grant(world, site, openids[0] ?? '');
    world.clock.advance(2 * HOUR_MS);
    await world.wechat.user(openids[0] ?? '').changePassword();
    await serviceOf(site).refreshDue();
    expect(await grants()).toEqual({ 'consent live, pair suspect': 1 });
  });

  it('show what is due, and for how long it has been', async () => {
    await Promise.all(openids.map((openid) => grant(world, site, openid)));
    expect(await nowValue('wechat_auth.refresh.backlog')).toBe(0);
    expect(await nowValue('wechat_auth.refresh.backlog_age')).toBe(0);

    world.clock.advance(2 * HOUR_MS);
    expect(await nowValue('wechat_auth.refresh.backlog')).toBe(5);
    const ageSeconds = (await nowValue('wechat_auth.refresh.backlog_age')) as number;
    // Due ten minutes before the end of two hours; each look at a figure has moved the clock by five minutes.
    expect(ageSeconds).toBeGreaterThan(30 * 60);
    expect(ageSeconds).toBeLessThan(31 * 60);

    await serviceOf(site).refreshDue();
    expect(await nowValue('wechat_auth.refresh.backlog')).toBe(0);
    expect(await nowValue('wechat_auth.refresh.backlog_age')).toBe(0);
  });

  it.each([
    ['ok', undefined],
    ['transient', { errcode: -1 }],
    ['transient', { status: 502 }],
    ['quota', { errcode: 45009 }],
    ['token', { errcode: 40030 }],
    ['configuration', { errcode: 40013 }],
    ['unknown', { errcode: 99999 }],
  ] as const)('count a refresh as %s after %j', async (outcome, fault) => {
    await grant(world, site, openids[0] ?? '');
    world.clock.advance(2 * HOUR_MS);
    if (fault) await world.wechat.failNext('refresh', fault);
    const refresh = (): Promise<unknown> => serviceOf(site).refreshDue();
    const attributes = { 'wechat.outcome': outcome };
    expect(await growth('wechat_auth.refresh.results', account(attributes), refresh)).toBe(1);
    expect(await sdk.points('wechat_auth.refresh.results')).toContainEqual(
      expect.objectContaining({ attributes: account(attributes) }),
    );
  });

  it('count a refresh whose tokens cannot be opened', async () => {
    await grant(world, site, openids[0] ?? '');
    world.clock.advance(2 * HOUR_MS);
    await world.query(`UPDATE wechat_grant SET sealed_tokens = 'x' || sealed_tokens`);
    const refresh = (): Promise<unknown> => serviceOf(site).refreshDue();
    const sealed = account({ 'wechat.outcome': 'sealed' });
    expect(await growth('wechat_auth.refresh.results', sealed, refresh)).toBe(1);
  });

  it('tell that an account is stopped, until it goes on', async () => {
    await grant(world, site, openids[0] ?? '');
    expect(await nowValue('wechat_auth.account.stopped')).toBe(0);
    world.clock.advance(2 * HOUR_MS);
    await world.wechat.failNext('refresh', { errcode: 40013 });
    await serviceOf(site).refreshDue();
    expect(await nowValue('wechat_auth.account.stopped')).toBe(1);

    await serviceOf(site).refreshDue();
    expect(await nowValue('wechat_auth.account.stopped')).toBe(0);
  });

  it('tell that rejections mark nobody any more', async () => {
    expect(await nowValue('wechat_auth.account.marking_stopped')).toBe(0);
    await grant(world, site, openids[0] ?? '');
    world.clock.advance(2 * HOUR_MS);
    await serviceOf(site).refreshDue();
    await world.query('UPDATE wechat_account_state SET marking_stopped_at = $1', [world.clock.now()]);
    expect(await nowValue('wechat_auth.account.marking_stopped')).toBe(1);
  });

  it("show what is left of this minute's calls", async () => {
    await grant(world, site, openids[0] ?? '');
    world.clock.advance(ACCESS_TOKEN_MS);
    // Well inside a minute.
    world.clock.advance(MINUTE_MS - (world.clock.now().getTime() % MINUTE_MS));
    await serviceOf(site).refreshDue();
    const left = (): Promise<unknown> =>
      sdk.value('wechat_auth.quota.remaining', account({ 'wechat.endpoint': 'refresh' }));
    world.clock.advance(11_000);
    const [{ calls }] = (await world.query<{ calls: number }>('SELECT calls FROM wechat_quota')) as [
      { calls: number },
    ];
    expect(calls).toBeGreaterThan(0);
    expect(await left()).toBe(50_000 - calls);
    world.clock.advance(MINUTE_MS);
    expect(await left()).toBe(50_000);
  });

  it('measure each call of WeChat, by endpoint and outcome', async () => {
    const visitor = new Visitor();
    const exchanged = { 'wechat.endpoint': 'token', 'wechat.outcome': 'ok' };
    const signIn = (): Promise<unknown> => visitor.open(`${site.url}/hello`);
    expect(await growth('wechat_auth.call.duration', exchanged, signIn)).toBe(1);

    await world.wechat.failNext('userinfo', { hang: true });
    const slow = { 'wechat.endpoint': 'userinfo', 'wechat.outcome': 'transient', 'error.type': 'timeout' };
    const agree = async (): Promise<unknown> =>
      visitor.answerConsent(await visitor.press(await visitor.open(`${site.url}/me`)), 'allow');
    expect(await growth('wechat_auth.call.duration', slow, agree)).toBe(1);
    const durations = await sdk.value('wechat_auth.call.duration', slow);
    // In seconds: the time limit is one.
    expect((durations as { sum: number }).sum).toBeGreaterThan(0.9);
  });

  it('have no attribute that is secret, or tells of a person', async () => {
    const visitor = new Visitor();
    await visitor.answerConsent(await visitor.press(await visitor.open(`${site.url}/me`)), 'allow');
    world.clock.advance(2 * HOUR_MS);
    await serviceOf(site).refreshDue();
    await sdk.collect();
    const { scopeMetrics } = await sdk.collect();
    const points = scopeMetrics
      .flatMap((scope) => scope.metrics)
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes));
    const keys = new Set(points.flatMap((attributes) => Object.keys(attributes)));
    expect([...keys].sort()).toEqual([
      'error.type',
      'wechat.app_id',
      'wechat.consent.state',
      'wechat.endpoint',
      'wechat.outcome',
      'wechat.pair.state',
    ]);
    const text = JSON.stringify(points);
    const sent = world.wechat.requests.flatMap(({ query }) => [
      query['code'],
      query['secret'],
      query['access_token'],
      query['refresh_token'],
      query['openid'],
    ]);
    const secrets = new Set([...sent, ...openids].filter((value) => value !== undefined));
    expect(secrets.size).toBeGreaterThan(5);
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  describe('and the database', () => {
    it('share one reading, however many collect', async () => {
      world.clock.advance(5 * MINUTE_MS + 1);
      await sdk.collect();
      const queries = jest.spyOn(site.app.get(DataSource), 'createQueryRunner');
      await Promise.all([sdk.collect(), sdk.collect()]);
      expect(queries).not.toHaveBeenCalled();

      world.clock.advance(10_001);
      await Promise.all([sdk.collect(), sdk.collect()]);
      // Backlog, accounts and quotas; grants are counted less often.
      expect(queries).toHaveBeenCalledTimes(3);
      queries.mockRestore();
    });

    it('fail in one line while it is down, and come back with one', async () => {
      expect(await nowValue('wechat_auth.database.up')).toBe(1);
      await world.query('ALTER TABLE wechat_quota RENAME TO elsewhere');
      expect(await nowValue('wechat_auth.database.up')).toBe(0);
      expect(await nowValue('wechat_auth.database.up')).toBe(0);
      await world.query('ALTER TABLE elsewhere RENAME TO wechat_quota');
      expect(await nowValue('wechat_auth.database.up')).toBe(1);
      expect(log.lines).toEqual([
        expect.stringMatching(/^Metrics cannot be read from the database, .*wechat_quota/),
        'Metrics are read from the database again.',
      ]);
    });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { WechatRefreshError } from '../../src/index.js';
import { LogBook } from '../sign-in/log-book.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import {
  ACCESS_TOKEN_MS,
  accessTokenIn,
  DAY_MS,
  grant,
  MINUTE_MS,
  refreshesAt,
  serviceOf,
  stored,
} from './refresh.harness.js';

const USERS = 60;

describe('refreshDue', () => {
  const log = new LogBook();
  let world: TestWorld;
  let one: TestInstance;
  let two: TestInstance;
  let openids: string[];

  beforeAll(async () => {
    world = await TestWorld.create({ users: USERS });
    const configure = (app: INestApplication): void => app.useLogger(log);
    one = await world.start({ configure });
    two = await world.start({ configure });
    openids = world.wechat.users.map(({ openid }) => openid);
  });
  beforeEach(async () => {
    await world.reset();
    await world.query('DELETE FROM wechat_account_state; DELETE FROM wechat_quota');
    log.errors = [];
  });
  afterAll(() => world.close());

  /** To the moment at which tokens that were got just now are due. */
  function untilDue(): void {
    world.clock.advance(ACCESS_TOKEN_MS - 10 * MINUTE_MS);
  }

  async function granted(count: number): Promise<WechatGrant[]> {
    return Promise.all(openids.slice(0, count).map((openid) => grant(world, one, openid)));
  }

  it('refreshes an access token ten minutes before it ends, and not earlier', async () => {
    const [row] = (await granted(1)) as [WechatGrant];
    world.clock.advance(ACCESS_TOKEN_MS - 11 * MINUTE_MS);
    expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 0, failed: 0 });

    world.clock.advance(MINUTE_MS);
    expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 1, failed: 0 });
    const after = await stored(one, row);
    expect(after.accessTokenExpiresAt.getTime()).toBeGreaterThanOrEqual(
      world.clock.now().getTime() + ACCESS_TOKEN_MS - MINUTE_MS,
    );
    expect(after.refreshTokenExpiresAt).toEqual(row.refreshTokenExpiresAt);
    expect(after).toMatchObject({ pairVersion: 2, pairStatus: 'alive', refreshLeaseId: null });
  });

  it('keeps the new token that WeChat gives once the old one has ended', async () => {
    const [row] = (await granted(1)) as [WechatGrant];
    world.clock.advance(ACCESS_TOKEN_MS + MINUTE_MS);
    await serviceOf(one).refreshDue();
    const token = accessTokenIn(one, await stored(one, row));
    expect(token).not.toBe(accessTokenIn(one, row));
    const answer = await fetch(
      `${world.wechat.apiBaseUrl}/sns/auth?access_token=${token}&openid=${row.openid}`,
    );
    expect(await answer.json()).toMatchObject({ errcode: 0 });
  });

  it('leaves alone the tokens of users who have not consented', async () => {
    await grant(world, one, openids[0] ?? '', 'base');
    world.clock.advance(ACCESS_TOKEN_MS);
    expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 0, failed: 0 });
  });

  it('refreshes each token once, though two instances sweep at once', async () => {
    await granted(USERS);
    untilDue();
    const reports = await Promise.all(
      [one, two, one, two].map((instance) => serviceOf(instance).refreshDue()),
    );
    expect(reports.reduce((sum, { refreshed }) => sum + refreshed, 0)).toBe(USERS);
    expect(refreshesAt(world)).toHaveLength(USERS);
    expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 0, failed: 0 });
  });

  it('does not undo a sign-in that comes while a refresh is under way', async () => {
    const [row] = (await granted(1)) as [WechatGrant];
    untilDue();
    await world.wechat.failNext('refresh', { delayMs: 300 });
    const sweep = serviceOf(one).refreshDue();
    while (refreshesAt(world).length === 0) await new Promise(setImmediate);
    const newer = await grant(world, two, row.openid);
    await sweep;
    expect(await stored(one, row)).toMatchObject({ pairVersion: 2, sealedTokens: newer.sealedTokens });
  });

  describe('where WeChat fails', () => {
    it.each([
      ['busy', { errcode: -1 }],
      ['behind a broken gateway', { status: 502 }],
      ['talking nonsense', { body: '<html>' }],
      ['silent', { hang: true as const }],
      ['answering a code that nobody knows', { errcode: 99999 }],
    ])('being %s, tries again later and marks nobody', async (_, fault) => {
      const [row] = (await granted(1)) as [WechatGrant];
      untilDue();
      await world.wechat.failNext('refresh', fault);
      expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 0, failed: 1 });
      expect(await stored(one, row)).toMatchObject({
        pairStatus: 'alive',
        refreshFailures: 1,
        pairVersion: 1,
      });

      world.clock.advance(30_000);
      expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 1, failed: 0 });
      expect(await stored(one, row)).toMatchObject({ refreshFailures: 0, refreshFailedAt: null });
    });

    it('waits longer after each failure, and half an hour at the most', async () => {
      const [row] = (await granted(1)) as [WechatGrant];
      untilDue();
      await world.wechat.failNext('refresh', { errcode: -1 }, { times: 12 });
      const pausesMs: number[] = [];
      for (let attempt = 0; attempt < 12; attempt++) {
        await serviceOf(one).refreshDue();
        const dueAt = (await stored(one, row)).refreshDueAt?.getTime() ?? NaN;
        pausesMs.push(dueAt - world.clock.now().getTime());
        world.clock.advance(dueAt - world.clock.now().getTime() + 1);
      }
      expect(pausesMs[0]).toBeLessThanOrEqual(30_000);
      expect(pausesMs[4]).toBeGreaterThan(3 * MINUTE_MS);
      expect(Math.max(...pausesMs)).toBeLessThanOrEqual(30 * MINUTE_MS);
    });

    it('rejecting the pair, suspects it at once, and gives it up the second time, five minutes later', async () => {
      const [row] = (await granted(1)) as [WechatGrant];
      await world.wechat.user(row.openid).changePassword();
      untilDue();
      await serviceOf(one).refreshDue();
      expect(await stored(one, row)).toMatchObject({ pairStatus: 'suspect' });

      world.clock.advance(4 * MINUTE_MS);
      expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: 0, failed: 0 });
      world.clock.advance(MINUTE_MS);
      await serviceOf(one).refreshDue();
      expect(await stored(one, row)).toMatchObject({ pairStatus: 'dead', refreshDueAt: null });
    });

    it('rejecting more pairs than can be true, marks no more, says so once, and goes on when it is over', async () => {
      const rows = await granted(USERS);
      untilDue();
      await world.wechat.failNext('refresh', { errcode: 40030 }, { durationMs: 6 * MINUTE_MS });
      await serviceOf(one).refreshDue();
      const statuses = await Promise.all(rows.map(async (row) => (await stored(one, row)).pairStatus));
      // Two batches are under way at once: one that has a few of the rejections may be written before there are too many.
      expect(statuses.filter((status) => status !== 'alive').length).toBeLessThanOrEqual(20);
      expect(log.errors.filter((line) => line.includes('far more refresh tokens'))).toHaveLength(1);

      world.clock.advance(6 * MINUTE_MS);
      await serviceOf(one).refreshDue();
      world.clock.advance(ACCESS_TOKEN_MS);
      expect(await serviceOf(one).refreshDue()).toEqual({ refreshed: USERS, failed: 0 });
      const [state] = await world.query<{ marking_stopped_at: Date | null }>(
        'SELECT marking_stopped_at FROM wechat_account_state',
      );
      expect(state?.marking_stopped_at).toBeNull();
    });

    it('naming a wrong setting, stops the account, tries one call in five minutes, and goes on when it is mended', async () => {
      const rows = await granted(5);
      untilDue();
      await world.wechat.failNext('refresh', { errcode: 40013 }, { durationMs: 6 * MINUTE_MS });
      await serviceOf(one).refreshDue();
      const sent = refreshesAt(world).length;
      await serviceOf(two).refreshDue();
      expect(refreshesAt(world)).toHaveLength(sent);
      expect(log.errors.filter((line) => line.includes('is stopped'))).toHaveLength(1);

      world.clock.advance(5 * MINUTE_MS + 1_000);
      await Promise.all([serviceOf(one).refreshDue(), serviceOf(two).refreshDue()]);
      expect(refreshesAt(world)).toHaveLength(sent + 1);

      world.clock.advance(6 * MINUTE_MS);
      await serviceOf(one).refreshDue();
      await serviceOf(one).refreshDue();
      for (const row of rows)
        expect(await stored(one, row)).toMatchObject({ pairStatus: 'alive', pairVersion: 2 });
    });

    it('naming a wrong setting, is asked by nobody else either, but once in five minutes', async () => {
      const rows = await granted(3);
      untilDue();
      await world.wechat.failNext('refresh', { errcode: 40013 }, { durationMs: DAY_MS });
      await serviceOf(one).refreshDue();
      world.clock.advance(20 * MINUTE_MS);
      const sent = refreshesAt(world).length;
      const asked = rows.map((row) => serviceOf(two).getAccessToken(row));
      const ended = await Promise.allSettled(asked);
      const errors = ended.map((one): unknown => one.status === 'rejected' && one.reason);
      expect(errors.filter((error) => error instanceof WechatRefreshError)).toHaveLength(2);
      expect(refreshesAt(world)).toHaveLength(sent + 1);
      await expect(serviceOf(two).getAccessToken(rows[0] as WechatGrant)).rejects.toMatchObject({
        code: 'account_stopped',
        retryable: true,
      });
      expect(refreshesAt(world)).toHaveLength(sent + 1);
    });

    it('answering that the calls of this minute are used up, goes on in the next one', async () => {
      const [row] = (await granted(1)) as [WechatGrant];
      untilDue();
      await world.wechat.failNext('refresh', { errcode: 45011 });
      await serviceOf(one).refreshDue();
      world.clock.advance(70_000);
      await serviceOf(one).refreshDue();
      expect(await stored(one, row)).toMatchObject({ pairVersion: 2 });
    });
  });

  it('stays within the share of WeChat’s calls a minute, over all instances', async () => {
    const settings = { refresh: { quotaShare: 0.0008, intervalMs: 3_600_000, batchSize: 10 } };
    const careful = [await world.start({ module: settings }), await world.start({ module: settings })];
    const dueAt = new Set((await granted(USERS)).map(({ refreshDueAt }) => refreshDueAt?.getTime()));
    untilDue();
    // To the beginning of a minute, so that it does not turn while this runs.
    world.clock.advance(MINUTE_MS - (world.clock.now().getTime() % MINUTE_MS));
    await Promise.all(careful.map((instance) => serviceOf(instance).refreshDue()));
    expect(refreshesAt(world)).toHaveLength(40);
    // Who has to wait keeps the turn, and the backlog its age.
    const [waiting] = await world.query<{ since: Date[] }>(
      'SELECT array_agg(refresh_due_at) AS since FROM wechat_grant WHERE pair_version = 1',
    );
    expect(waiting?.since).toHaveLength(USERS - 40);
    expect(waiting?.since.every((since) => dueAt.has(since.getTime()))).toBe(true);
    world.clock.advance(MINUTE_MS);
    await Promise.all(careful.map((instance) => serviceOf(instance).refreshDue()));
    expect(refreshesAt(world)).toHaveLength(USERS);
  });

  it('refreshes who has not come for long once more and then lets them be, where the host wants that', async () => {
    const [kept, left] = (await granted(2)) as [WechatGrant, WechatGrant];
    const instance = await world.start({
      module: { refresh: { activeWithinDays: 7, intervalMs: 3_600_000 } },
    });
    const now = world.clock.now().getTime();
    await world.query('UPDATE wechat_grant SET signed_in_at = $1 WHERE openid = $2', [
      new Date(now),
      kept.openid,
    ]);
    await world.query('UPDATE wechat_grant SET signed_in_at = $1 WHERE openid = $2', [
      new Date(now - 8 * DAY_MS),
      left.openid,
    ]);
    untilDue();
    expect(await serviceOf(instance).refreshDue()).toEqual({ refreshed: 2, failed: 0 });
    expect(await stored(one, left)).toMatchObject({ pairVersion: 2, refreshDueAt: null });
    untilDue();
    expect(await serviceOf(instance).refreshDue()).toEqual({ refreshed: 1, failed: 0 });
    expect(await stored(one, left)).toMatchObject({ pairVersion: 2 });
    expect(await stored(one, kept)).toMatchObject({ pairVersion: 3 });
    await grant(world, one, left.openid);
    untilDue();
    expect(await serviceOf(instance).refreshDue()).toMatchObject({ refreshed: 2 });
  });

  it('does not bring back to life what has ended while it was asked', async () => {
    const [row] = (await granted(1)) as [WechatGrant];
    untilDue();
    await world.wechat.failNext('refresh', { delayMs: 300 });
    const sweep = serviceOf(one).refreshDue();
    while (refreshesAt(world).length === 0) await new Promise(setImmediate);
    await serviceOf(two).requireConsent(row);
    await sweep;
    expect(await stored(one, row)).toMatchObject({ refreshDueAt: null });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import {
  WechatConsentRequiredError,
  WechatError,
  WechatGrantNotFoundError,
  type WechatUser,
} from '../../src/index.js';
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
  untilLeaseIsTried,
} from './refresh.harness.js';

describe('getAccessToken', () => {
  let world: TestWorld;
  let one: TestInstance;
  let two: TestInstance;
  let openid: string;

  beforeAll(async () => {
    world = await TestWorld.create();
    one = await world.start();
    two = await world.start();
    openid = world.wechat.users[0]?.openid ?? '';
  });
  beforeEach(async () => {
    await world.reset();
    await world.query('DELETE FROM wechat_account_state; DELETE FROM wechat_quota');
  });
  afterAll(() => world.close());

  function ask(instance: TestInstance, count: number): Promise<PromiseSettledResult<string>[]> {
    return Promise.allSettled(
      Array.from({ length: count }, () => serviceOf(instance).getAccessToken({ openid })),
    );
  }

  it('gives the stored token as long as it lives for a minute', async () => {
    const row = await grant(world, one, openid);
    world.clock.advance(ACCESS_TOKEN_MS - 2 * MINUTE_MS);
    expect(await serviceOf(one).getAccessToken({ openid })).toBe(accessTokenIn(one, row));
    expect(refreshesAt(world)).toHaveLength(0);
  });

  it('gives one that WeChat takes, once the stored one has ended', async () => {
    const row = await grant(world, one, openid);
    world.clock.advance(ACCESS_TOKEN_MS + 1_000);
    const token = await serviceOf(one).getAccessToken(row);
    const answer = await fetch(`${world.wechat.apiBaseUrl}/sns/auth?access_token=${token}&openid=${openid}`);
    expect(await answer.json()).toMatchObject({ errcode: 0 });
    expect(accessTokenIn(two, await stored(two, row))).toBe(token);
  });

  it('refreshes once for a thousand who ask at the same time, on two instances', async () => {
    await grant(world, one, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    await world.wechat.failNext('refresh', { delayMs: 200 });
    const asked = await Promise.all([ask(one, 500), ask(two, 500)]);
    const tokens = new Set(
      asked.flat().map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed')),
    );
    expect(tokens.size).toBe(1);
    expect(tokens).not.toContain('failed');
    expect(refreshesAt(world)).toHaveLength(1);
  });

  it('shares a failure among all who wait, on two instances, and tries anew for who comes later', async () => {
    await grant(world, one, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    await world.wechat.failNext('refresh', { status: 503 });
    const asked = await Promise.all([ask(one, 50), ask(two, 50)]);
    const failures = asked
      .flat()
      .map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as unknown) : undefined));
    for (const failure of failures) expect(failure).toBeInstanceOf(WechatError);
    expect(refreshesAt(world)).toHaveLength(1);

    world.clock.advance(1_000);
    expect(await serviceOf(one).getAccessToken({ openid })).toEqual(expect.any(String));
  });

  it('waits for an instance that died over a refresh until its lease ends, and takes over then', async () => {
    const row = await grant(world, one, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    await world.query(
      `UPDATE wechat_grant SET refresh_lease_id = '00000000-0000-0000-0000-000000000001', refresh_lease_expires_at = $1`,
      [new Date(world.clock.now().getTime() + MINUTE_MS)],
    );
    const waiting = serviceOf(one).getAccessToken({ openid });
    // Twice: who has looked and found the lease taken looks again.
    await untilLeaseIsTried(world);
    await untilLeaseIsTried(world);
    expect(refreshesAt(world)).toHaveLength(0);
    world.clock.advance(MINUTE_MS);
    expect(await waiting).toBe(accessTokenIn(one, await stored(one, row)));
    expect(refreshesAt(world)).toHaveLength(1);
  });

  it('gives up, and says to come back, where the other one takes too long', async () => {
    await grant(world, one, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    await world.query(
      `UPDATE wechat_grant SET refresh_lease_id = '00000000-0000-0000-0000-000000000001', refresh_lease_expires_at = $1`,
      [new Date(world.clock.now().getTime() + DAY_MS)],
    );
    await expect(serviceOf(one).getAccessToken({ openid })).rejects.toMatchObject({
      code: 'refresh_timeout',
    });
  });

  it.each<[string, (row: WechatGrant) => unknown, string]>([
    ['whose consent has ended', () => world.clock.advance(31 * DAY_MS), 'ended'],
    [
      'who has signed in silently only',
      () => world.query('UPDATE wechat_grant SET consented_at = NULL, consent_expires_at = NULL'),
      'never',
    ],
    [
      'whose pair WeChat has rejected',
      () => world.query(`UPDATE wechat_grant SET pair_status = 'suspect'`),
      'pair',
    ],
    [
      'whose pair cannot read the profile',
      () => world.query(`UPDATE wechat_grant SET pair_ability = 'unable'`),
      'pair',
    ],
  ])('has none for a user %s', async (_, change, reason) => {
    const row = await grant(world, one, openid);
    await change(row);
    const failure: unknown = await serviceOf(one)
      .getAccessToken({ openid })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WechatConsentRequiredError);
    expect(failure).toMatchObject({ code: 'consent_required', reason });
  });

  it('says that the pair is gone where WeChat rejects the refresh', async () => {
    const row = await grant(world, one, openid);
    await world.wechat.user(openid).changePassword();
    world.clock.advance(ACCESS_TOKEN_MS);
    await expect(serviceOf(one).getAccessToken({ openid })).rejects.toBeInstanceOf(
      WechatConsentRequiredError,
    );
    expect(await stored(one, row)).toMatchObject({ pairStatus: 'suspect' });
  });

  it('knows nothing of strangers, of the virtual user of a snapshot page, and of other accounts', async () => {
    const snapshot: WechatUser = {
      appId: world.wechat.apps[0]?.appId ?? '',
      openid,
      scope: 'base',
      snapshot: true,
    };
    await grant(world, one, openid);
    await expect(serviceOf(one).getAccessToken({ openid: 'oStranger' })).rejects.toBeInstanceOf(
      WechatGrantNotFoundError,
    );
    await expect(serviceOf(one).getAccessToken(snapshot)).rejects.toBeInstanceOf(WechatGrantNotFoundError);
    await expect(serviceOf(one).getAccessToken({ openid, appId: 'wx0' })).rejects.toMatchObject({
      code: 'unknown_app_id',
    });
  });
});

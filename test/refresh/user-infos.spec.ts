import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GrantRepository } from '../../src/grants/grant.repository.js';
import { WechatConsentRequiredError, WechatResponseError } from '../../src/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { ACCESS_TOKEN_MS, DAY_MS, grant, refreshesAt, serviceOf, stored } from './refresh.harness.js';

describe.each([
  ['lets a silently issued token read the profile after a consent', true],
  ['never lets a silently issued token read the profile', false],
])('getUserInfo, where WeChat %s', (_how, grantMemory) => {
  let world: TestWorld;
  let site: TestInstance;
  let openid: string;

  beforeAll(async () => {
    world = await TestWorld.create({ grantMemory });
    site = await world.start();
    openid = world.wechat.users[0]?.openid ?? '';
  });
  beforeEach(async () => {
    await world.reset();
    await world.query('DELETE FROM wechat_account_state; DELETE FROM wechat_quota');
  });
  afterAll(() => world.close());

  function profileCalls(): number {
    return world.wechat.requests.filter(({ endpoint }) => endpoint === 'userinfo').length;
  }

  it('asks WeChat once, and gives the stored profile for a day', async () => {
    await grant(world, site, openid);
    const profile = await serviceOf(site).getUserInfo({ openid });
    expect(profile.nickname).toBe(world.wechat.users[0]?.nickname);
    world.clock.advance(DAY_MS - 60_000);
    expect(await serviceOf(site).getUserInfo({ openid })).toEqual(profile);
    expect(profileCalls()).toBe(1);

    world.clock.advance(120_000);
    expect(await serviceOf(site).getUserInfo({ openid })).toEqual(profile);
    expect([profileCalls(), refreshesAt(world).length]).toEqual([2, 1]);
  });

  it('asks WeChat anew where the stored profile cannot be opened', async () => {
    await grant(world, site, openid);
    const profile = await serviceOf(site).getUserInfo({ openid });
    await world.query('UPDATE wechat_grant SET sealed_user_info = left(sealed_user_info, -4)');
    expect(await serviceOf(site).getUserInfo({ openid })).toEqual(profile);
    expect(await serviceOf(site).getUserInfo({ openid })).toEqual(profile);
    expect(profileCalls()).toBe(2);
  });

  it('asks WeChat once for all who want it anew at the same time', async () => {
    await grant(world, site, openid);
    await Promise.all(
      Array.from({ length: 100 }, () => serviceOf(site).getUserInfo({ openid }, { maxAgeMs: 0 })),
    );
    expect(profileCalls()).toBe(1);
  });

  it.each([40001, 42001])(
    'refreshes once and asks once more, where WeChat answers %d to a token thought alive',
    async (errcode) => {
      await grant(world, site, openid);
      await world.wechat.failNext('userinfo', { errcode });
      expect((await serviceOf(site).getUserInfo({ openid })).openid).toBe(openid);
      expect([profileCalls(), refreshesAt(world).length]).toEqual([2, 1]);
    },
  );

  it('suspects a pair whose new token is not taken either', async () => {
    const row = await grant(world, site, openid);
    await world.wechat.failNext('userinfo', { errcode: 40001 }, { times: 2 });
    await expect(serviceOf(site).getUserInfo({ openid })).rejects.toMatchObject({ reason: 'pair' });
    expect(await stored(site, row)).toMatchObject({ pairStatus: 'suspect' });
    expect([profileCalls(), refreshesAt(world).length]).toEqual([2, 1]);
  });

  it('knows by WeChat’s refusal that the consent has ended', async () => {
    const row = await grant(world, site, openid);
    await world.wechat.user(openid).withdrawConsent();
    const failure: unknown = await serviceOf(site)
      .getUserInfo({ openid })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WechatConsentRequiredError);
    expect(failure).toMatchObject({ reason: 'ended' });
    expect(await stored(site, row)).toMatchObject({ pairAbility: 'unable' });
    await expect(serviceOf(site).getAccessToken({ openid })).rejects.toMatchObject({ reason: 'ended' });
  });

  it('holds a refusal also against a pair that was refreshed while WeChat was asked', async () => {
    const asked = await grant(world, site, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    expect(await serviceOf(site).refreshDue()).toMatchObject({ refreshed: 1 });
    const grants = site.app.get(GrantRepository, { strict: false });
    expect(await grants.markUnable(asked, world.clock.now())).toBe(true);
    expect(await stored(site, asked)).toMatchObject({ pairAbility: 'unable', refreshDueAt: null });
    await expect(serviceOf(site).getAccessToken({ openid })).rejects.toMatchObject({ reason: 'ended' });
  });

  it('says that WeChat fails just now, and leaves the grant as it is', async () => {
    const row = await grant(world, site, openid);
    await world.wechat.failNext('userinfo', { status: 500 });
    const failure: unknown = await serviceOf(site)
      .getUserInfo({ openid })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WechatResponseError);
    expect(failure).toMatchObject({ retryable: true });
    expect(await stored(site, row)).toEqual(row);
  });

  it('finds out by one call whether the token of a silent sign-in after a consent can read the profile', async () => {
    await grant(world, site, openid);
    const silent = await grant(world, site, openid, 'base');
    expect(silent.pairAbility).toBe('unknown');
    const asked = await serviceOf(site)
      .getAccessToken({ openid })
      .then(
        () => 'a token',
        (error: unknown) => (error as WechatConsentRequiredError).reason,
      );
    expect(asked).toBe(grantMemory ? 'a token' : 'pair');
    expect((await stored(site, silent)).pairAbility).toBe(grantMemory ? 'able' : 'unable');
    expect(profileCalls()).toBe(1);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GrantRepository } from '../../src/grants/grant.repository.js';
import { Profiles } from '../../src/sign-in/profiles.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { AnswerGate } from './answer.gate.js';
import {
  ACCESS_TOKEN_MS,
  DAY_MS,
  grant,
  MINUTE_MS,
  refreshesAt,
  serviceOf,
  stored,
} from './refresh.harness.js';
import { EventEmitter2, EventEmitterModule } from './told.events.js';

describe('what is known of a pair', () => {
  let world: TestWorld;
  let gate: AnswerGate;
  let site: TestInstance;
  let openid: string;

  beforeAll(async () => {
    world = await TestWorld.create();
    gate = await AnswerGate.start(world.wechat.apiBaseUrl);
    site = await world.start({
      imports: [EventEmitterModule],
      // Nothing is late but what the test holds back.
      module: { apiBaseUrl: gate.url, requestTimeoutMs: 15_000 },
    });
    openid = world.wechat.users[0]?.openid ?? '';
  });
  beforeEach(async () => {
    gate.open();
    await world.reset();
    await world.query('DELETE FROM wechat_account_state; DELETE FROM wechat_quota');
    EventEmitter2.told.length = 0;
  });
  afterAll(async () => {
    await gate.close();
    await world.close();
  });

  function reasons(): unknown[] {
    const told = EventEmitter2.told.filter(({ name }) => name === 'wechat.consent-required');
    return told.map(({ payload }) => payload['reason']);
  }

  /** WeChat has got the next request, and does not answer it yet. */
  async function nextRequest(): Promise<void> {
    gate.open();
    gate.shut();
    await gate.until(1);
  }

  it('ends the refreshes where WeChat says that the consent has ended, and the host is told once', async () => {
    await grant(world, site, openid);
    await world.wechat.user(openid).withdrawConsent();
    await expect(serviceOf(site).getUserInfo({ openid })).rejects.toMatchObject({ reason: 'ended' });

    world.clock.advance(ACCESS_TOKEN_MS);
    expect(await serviceOf(site).refreshDue()).toEqual({ refreshed: 0, failed: 0 });
    world.clock.advance(31 * DAY_MS);
    await serviceOf(site).refreshDue();
    expect(refreshesAt(world)).toHaveLength(0);
    expect(reasons()).toEqual(['refused']);
  });

  it('ends the refreshes where profile calls show that the pair is dead, and the host is told', async () => {
    const row = await grant(world, site, openid);
    const profiles = site.app.get(Profiles, { strict: false });
    await world.wechat.failNext('userinfo', { errcode: 40001 }, { times: 2 });
    await profiles.of(row);
    expect(reasons()).toEqual([]);
    world.clock.advance(5 * MINUTE_MS);
    await profiles.of(await stored(site, row));
    expect(await stored(site, row)).toMatchObject({ pairStatus: 'dead', refreshDueAt: null });
    expect(reasons()).toEqual(['rejected']);
  });

  it('is not undone by a refresh that was under way and failed', async () => {
    const row = await grant(world, site, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    await world.wechat.failNext('refresh', { status: 503 });
    gate.shut();
    const sweep = serviceOf(site).refreshDue();
    await gate.until(1);
    const rejectedAt = world.clock.now();
    await site.app.get(GrantRepository, { strict: false }).markRejected(row, rejectedAt);
    gate.open();
    expect(await sweep).toEqual({ refreshed: 0, failed: 1 });
    expect(await stored(site, row)).toMatchObject({ pairStatus: 'suspect', pairSuspectSince: rejectedAt });
  });

  it('is not undone by a refresh that was under way when the host wanted the user asked again', async () => {
    const row = await grant(world, site, openid);
    world.clock.advance(ACCESS_TOKEN_MS);
    gate.shut();
    const waiting = serviceOf(site).getAccessToken({ openid });
    await gate.until(1);
    await serviceOf(site).requireConsent({ openid });
    gate.open();
    await expect(waiting).rejects.toMatchObject({ reason: 'ended' });
    expect(await stored(site, row)).toMatchObject({ refreshDueAt: null, pairVersion: 1 });
  });

  it('says nothing of a pair that a sign-in has brought while the one before was rejected', async () => {
    const row = await grant(world, site, openid);
    await world.wechat.failNext('userinfo', { errcode: 40001 }, { times: 2 });
    gate.shut();
    const asked = serviceOf(site).getUserInfo({ openid });
    await gate.until(1);
    await nextRequest(); // the refresh
    await nextRequest(); // the profile once more
    await grant(world, site, openid);
    gate.open();
    await expect(asked).rejects.toMatchObject({ reason: 'pair' });
    expect(await stored(site, row)).toMatchObject({ pairStatus: 'alive', pairVersion: 3 });
  });
});

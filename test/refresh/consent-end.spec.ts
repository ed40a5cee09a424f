import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { WechatUser } from '../../src/index.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';
import { DAY_MS, refreshesAt, serviceOf } from './refresh.harness.js';
import { EventEmitter2, EventEmitterModule } from './told.events.js';

describe.each(PLATFORMS)('the end of a consent, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let other: TestInstance;
  let visitor: Visitor;

  beforeAll(async () => {
    // WeChat forgets the consent sooner, so that its page is seen.
    world = await TestWorld.create({ consentLifetimeMs: DAY_MS });
    const options = {
      platform,
      imports: [EventEmitterModule],
      module: { session: { maxAgeMs: 60 * DAY_MS } },
    };
    site = await world.start(options);
    other = await world.start(options);
  });
  beforeEach(async () => {
    await world.reset();
    EventEmitter2.told.length = 0;
    visitor = new Visitor();
  });
  afterAll(() => world.close());

  async function consent(): Promise<WechatUser> {
    const visit = await visitor.answerConsent(
      await visitor.press(await visitor.open(`${site.url}/me`)),
      'allow',
    );
    EventEmitter2.told.length = 0;
    return JSON.parse(visit.body) as WechatUser;
  }

  function askedPages(visit: Visit): number {
    return visit.trail.filter((url) => url.includes('/connect/oauth2/authorize')).length;
  }

  it('is near three days before, and not earlier; the host is told once, though two instances look', async () => {
    const { appId, openid } = await consent();
    world.clock.advance(27 * DAY_MS - 60_000);
    await serviceOf(site).refreshDue();
    expect(EventEmitter2.told.filter(({ name }) => name === 'wechat.consent-due')).toEqual([]);

    world.clock.advance(120_000);
    await Promise.all([serviceOf(site).refreshDue(), serviceOf(other).refreshDue()]);
    await serviceOf(other).refreshDue();
    expect(EventEmitter2.told.filter(({ name }) => name === 'wechat.consent-due')).toEqual([
      { name: 'wechat.consent-due', payload: { appId, openid, endsAt: expect.any(Date) } },
    ]);
  });

  it('is told to the host when it has come', async () => {
    const { appId, openid } = await consent();
    world.clock.advance(30 * DAY_MS);
    await serviceOf(site).refreshDue();
    expect(EventEmitter2.told.filter(({ name }) => name === 'wechat.consent-required')).toEqual([
      { name: 'wechat.consent-required', payload: { appId, openid, reason: 'expired' } },
    ]);
    await expect(serviceOf(site).getAccessToken({ openid })).rejects.toMatchObject({ reason: 'ended' });
  });

  it('is a reason to ask on the next page, and who agrees goes on for thirty days more', async () => {
    await consent();
    world.clock.advance(28 * DAY_MS);
    await serviceOf(site).refreshDue();
    const asked = await visitor.open(`${site.url}/me`);
    expect(asked.body).toContain('name="uuid"');
    const visit = await visitor.answerConsent(asked, 'allow');
    expect((JSON.parse(visit.body) as WechatUser).scope).toBe('userinfo');

    world.clock.advance(3 * DAY_MS);
    await serviceOf(site).refreshDue();
    expect((JSON.parse((await visitor.open(`${site.url}/me`)).body) as WechatUser).scope).toBe('userinfo');
  });

  it('is asked about once in 24 hours, and who refuses is let in until it has come', async () => {
    await consent();
    world.clock.advance(27 * DAY_MS + 60_000);
    await serviceOf(site).refreshDue();
    const refused = await visitor.answerConsent(await visitor.open(`${site.url}/me`), 'refuse');
    expect((JSON.parse(refused.body) as WechatUser).scope).toBe('userinfo');
    expect(askedPages(await visitor.open(`${site.url}/me`))).toBe(0);

    world.clock.advance(DAY_MS);
    expect((await visitor.open(`${site.url}/me`)).body).toContain('name="uuid"');
  });

  describe('that WeChat tells by refusing the profile', () => {
    async function noticedByJob({ openid }: WechatUser): Promise<void> {
      await world.query('UPDATE wechat_grant SET user_info_fetched_at = NULL');
      await expect(serviceOf(site).getUserInfo({ openid })).rejects.toMatchObject({ reason: 'ended' });
    }

    /** The profile is owed, as after a sign-in at which WeChat failed to give it. */
    async function noticedByPage(): Promise<void> {
      await world.query('UPDATE wechat_grant SET sealed_user_info = NULL');
      expect((await visitor.fetch(`${site.url}/me`)).status).toBe(401);
    }

    it.each([
      ['a job', noticedByJob],
      ['a page', noticedByPage],
    ])('to %s, is told to the host once, and ends the refreshing', async (_who, notice) => {
      const user = await consent();
      const { appId, openid } = user;
      await world.wechat.user(openid).withdrawConsent();
      await notice(user);
      const told = [{ name: 'wechat.consent-required', payload: { appId, openid, reason: 'refused' } }];
      expect(EventEmitter2.told).toEqual(told);
      const refreshes = refreshesAt(world).length;
      for (const days of [1, 26, 4]) {
        world.clock.advance(days * DAY_MS);
        await serviceOf(site).refreshDue();
      }
      expect(EventEmitter2.told).toEqual(told);
      expect(refreshesAt(world)).toHaveLength(refreshes);
    });
  });

  it('is nothing that a script notices before it has come', async () => {
    await consent();
    world.clock.advance(29 * DAY_MS);
    await serviceOf(site).refreshDue();
    expect((await visitor.fetch(`${site.url}/me`)).status).toBe(200);
    world.clock.advance(2 * DAY_MS);
    const after = await visitor.fetch(`${site.url}/me`);
    expect([after.status, (JSON.parse(after.body) as { code: string }).code]).toEqual([
      401,
      'consent_required',
    ]);
  });

  it('comes at once where the host wants it, and WeChat asks though it remembers', async () => {
    const user = await consent();
    await serviceOf(site).requireConsent(user);
    expect(EventEmitter2.told).toContainEqual({
      name: 'wechat.consent-required',
      payload: { appId: user.appId, openid: user.openid, reason: 'requested' },
    });
    const asked = await visitor.press(await visitor.open(`${site.url}/me`));
    expect(asked.trail.some((url) => url.includes('forcePopup=true'))).toBe(true);
    const visit = await visitor.answerConsent(asked, 'allow');
    expect((JSON.parse(visit.body) as WechatUser).scope).toBe('userinfo');
    await expect(serviceOf(site).requireConsent({ openid: 'oStranger' })).rejects.toMatchObject({
      code: 'grant_not_found',
    });
  });

  it('does not stop a page over a listener that fails', async () => {
    const emit = EventEmitter2.prototype.emit;
    EventEmitter2.prototype.emit = () => {
      throw new Error('a listener of the host');
    };
    try {
      expect((await consent()).scope).toBe('userinfo');
    } finally {
      EventEmitter2.prototype.emit = emit;
    }
  });
});

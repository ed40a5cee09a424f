import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GrantRepository } from '../../src/grants/grant.repository.js';
import type { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { HOUR_MS, serviceOf } from '../refresh/refresh.harness.js';
import { Detour } from '../support/detour.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';

const EXCHANGE = '/sns/oauth2/access_token';
const REFRESH = '/sns/oauth2/refresh_token';
const stay = { follow: (): boolean => false };

/** WeChat keeps one pair for each user and account: that of the exchange which it saw last. */
describe.each(PLATFORMS)('a user who signs in on two phones at once, on %s', (platform) => {
  let world: TestWorld;
  let detour: Detour;
  /** One for each phone, so that nothing but the database knows of both. */
  let sites: [TestInstance, TestInstance];

  beforeAll(async () => {
    world = await TestWorld.create();
    detour = await Detour.to(world.wechat.apiBaseUrl);
    const module = { apiBaseUrl: detour.url, requestTimeoutMs: 60_000 };
    sites = [await world.start({ platform, module }), await world.start({ platform, module })];
  });
  beforeEach(() => world.reset());
  afterAll(async () => {
    await world.close();
    await detour.close();
  });

  /** A phone that WeChat has just sent back with a code. */
  async function phoneWithCode(
    site: TestInstance,
    scope: 'base' | 'userinfo',
  ): Promise<() => Promise<Visit>> {
    const phone = new Visitor();
    const untilCallback = { follow: (location: string) => !location.includes('/wechat/callback') };
    const path = scope === 'base' ? '/hello' : '/direct';
    let visit = await phone.open(site.url + path, untilCallback);
    if (visit.body.includes('name="uuid"')) visit = await phone.answerConsent(visit, 'allow', untilCallback);
    return () => phone.open(visit.headers['location'] ?? '', stay);
  }

  /** The first phone's exchange is WeChat's first, and its answer the last that arrives. */
  async function firstAnswerLast(
    scopes: ['base' | 'userinfo', 'base' | 'userinfo'],
    beforeArrival?: () => unknown,
  ): Promise<Visit[]> {
    const [first, second] = [
      await phoneWithCode(sites[0], scopes[0]),
      await phoneWithCode(sites[1], scopes[1]),
    ];
    const held = detour.hold(EXCHANGE, 'after');
    const firstVisit = first();
    await held.isWaiting;
    const secondVisit = await second();
    await beforeArrival?.();
    held.release();
    return [await firstVisit, secondVisit];
  }

  /** The first phone's exchange leaves first, and is WeChat's second. */
  async function firstExchangeLast(): Promise<Visit[]> {
    const [first, second] = [await phoneWithCode(sites[0], 'base'), await phoneWithCode(sites[1], 'base')];
    const held = detour.hold(EXCHANGE, 'before');
    const firstVisit = first();
    await held.isWaiting;
    const secondVisit = await second();
    held.release();
    return [await firstVisit, secondVisit];
  }

  async function stored(): Promise<WechatGrant> {
    const [row] = await world.query<{ app_id: string; openid: string }>(
      'SELECT app_id, openid FROM wechat_grant',
    );
    const grant = row && (await grants().find({ appId: row.app_id, openid: row.openid }));
    if (!grant) throw new Error('There is no grant.');
    return grant;
  }

  function grants(): GrantRepository {
    return sites[0].app.get(GrantRepository, { strict: false });
  }

  /** What WeChat says of the access token that is stored. */
  async function isStoredAlive(): Promise<boolean> {
    const grant = await stored();
    const { accessToken } = grants().openTokens(grant);
    const query = new URLSearchParams({ access_token: accessToken, openid: grant.openid });
    const response = await fetch(`${world.wechat.apiBaseUrl}/sns/auth?${query.toString()}`);
    return ((await response.json()) as { errcode: number }).errcode === 0;
  }

  function questions(): number {
    return world.wechat.requests.filter(({ endpoint }) => endpoint === 'auth').length;
  }

  function expectBothSignedIn(visits: Visit[]): void {
    expect(visits.map(({ status }) => status)).toEqual([303, 303]);
  }

  it('keeps the pair that is alive, though the answer with the dead one arrives last', async () => {
    expectBothSignedIn(await firstAnswerLast(['base', 'base']));
    expect(questions()).toBe(1);
    expect(await isStoredAlive()).toBe(true);
    expect(await stored()).toMatchObject({ pairVersion: 1, pairStatus: 'alive' });
  });

  it('keeps the pair that is alive where it arrives last', async () => {
    expectBothSignedIn(await firstExchangeLast());
    expect(questions()).toBe(1);
    expect(await isStoredAlive()).toBe(true);
    expect(await stored()).toMatchObject({ pairVersion: 2, pairStatus: 'alive' });
  });

  it('keeps the consent that came with a dead pair, and reads the profile with the live one', async () => {
    expectBothSignedIn(await firstAnswerLast(['userinfo', 'base']));
    expect(await isStoredAlive()).toBe(true);
    const grant = await stored();
    expect(grant).toMatchObject({ pairScope: 'base', pairAbility: 'able', pairStatus: 'alive' });
    expect(grant.consentExpiresAt?.getTime()).toBeGreaterThan(
      world.clock.now().getTime() + 29 * 24 * HOUR_MS,
    );
    expect(grant.refreshDueAt).not.toBeNull();
    expect(grants().openUserInfo(grant)).toMatchObject({ nickname: world.wechat.users[0]?.nickname });
  });

  it('keeps the later of two consents, and the pair that came with it', async () => {
    let saved: WechatGrant | undefined;
    expectBothSignedIn(await firstAnswerLast(['userinfo', 'userinfo'], async () => (saved = await stored())));
    expect(await stored()).toMatchObject({
      pairVersion: 1,
      pairScope: 'userinfo',
      consentedAt: saved?.consentedAt,
      consentExpiresAt: saved?.consentExpiresAt,
    });
    expect(await isStoredAlive()).toBe(true);
  });

  it('suspects the pair that arrives last where WeChat does not say which one it keeps', async () => {
    await world.wechat.failNext('auth', { errcode: -1 });
    expectBothSignedIn(await firstExchangeLast());
    const grant = await stored();
    expect(grant).toMatchObject({
      pairVersion: 2,
      pairStatus: 'suspect',
      pairSuspectSince: grant.authorizedAt,
    });
    expect(await isStoredAlive()).toBe(true);
  });

  it('settles a pair in doubt by a refresh, five minutes later', async () => {
    await world.wechat.failNext('auth', { status: 502 });
    await (
      await phoneWithCode(sites[0], 'userinfo')
    )();
    expectBothSignedIn(await firstExchangeLast());
    expect(await stored()).toMatchObject({ pairStatus: 'suspect' });
    await serviceOf(sites[0]).refreshDue();
    expect(await stored()).toMatchObject({ pairStatus: 'suspect' });
    world.clock.advance(5 * 60_000);
    await serviceOf(sites[0]).refreshDue();
    expect(await stored()).toMatchObject({ pairStatus: 'alive', pairSuspectSince: null });
  });

  it('asks WeChat again where a third phone has signed in meanwhile', async () => {
    const third = await phoneWithCode(sites[1], 'base');
    const question = detour.hold('/sns/auth', 'after');
    const visits = firstExchangeLast();
    // The first phone is about to hear that its pair is alive, and then it is not any more.
    await question.isWaiting;
    await third();
    question.release();
    expectBothSignedIn(await visits);
    expect(questions()).toBe(2);
    expect(await isStoredAlive()).toBe(true);
    expect(await stored()).toMatchObject({ pairVersion: 2, pairStatus: 'alive' });
  });

  it('asks WeChat nothing where one sign-in comes after the other', async () => {
    await (
      await phoneWithCode(sites[0], 'base')
    )();
    await (
      await phoneWithCode(sites[1], 'userinfo')
    )();
    await (
      await phoneWithCode(sites[0], 'userinfo')
    )();
    expect(questions()).toBe(0);
    expect(await isStoredAlive()).toBe(true);
  });

  it.each(['before', 'after'] as const)(
    'keeps the pair of a sign-in that comes while a refresh is under way (held %s WeChat)',
    async (when) => {
      await (
        await phoneWithCode(sites[0], 'userinfo')
      )();
      const phone = await phoneWithCode(sites[1], 'userinfo');
      world.clock.advance(2 * HOUR_MS - 60_000);
      const held = detour.hold(REFRESH, when);
      const refreshed = serviceOf(sites[0]).refreshDue();
      await held.isWaiting;
      await phone();
      held.release();
      await refreshed;
      expect(questions()).toBe(0);
      expect(await isStoredAlive()).toBe(true);
      expect(await stored()).toMatchObject({ pairStatus: 'alive', refreshFailures: 0 });
    },
  );

  it('keeps the pair of a sign-in under way though a refresh of the old one is written first', async () => {
    await (
      await phoneWithCode(sites[0], 'userinfo')
    )();
    world.clock.advance(2 * HOUR_MS - 60_000);
    const phone = await phoneWithCode(sites[1], 'userinfo');
    const held = detour.hold(EXCHANGE, 'before');
    const visit = phone();
    await held.isWaiting;
    await serviceOf(sites[0]).refreshDue();
    held.release();
    expect((await visit).status).toBe(303);
    expect(questions()).toBe(0);
    expect(await isStoredAlive()).toBe(true);
    expect((await stored()).refreshLeaseId).toBeNull();
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { wechatAuthEntities, type WechatUser } from '../../src/index.js';
import { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';

describe.each(PLATFORMS)('what happens around a completed sign-in, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let calls: { user: WechatUser; isNewGrant: boolean; path: string }[];
  let reject: Error | undefined;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      platform,
      module: {
        onSignIn: (user, { isNewGrant, request }) => {
          calls.push({
            user,
            isNewGrant,
            path: (request as { originalUrl: string }).originalUrl.split('?')[0] ?? '',
          });
          if (reject) throw reject;
        },
      },
    });
  });
  beforeEach(async () => {
    calls = [];
    reject = undefined;
    await world.reset();
  });
  afterAll(() => world.close());

  async function grants(): Promise<WechatGrant[]> {
    const dataSource = await new DataSource({
      type: 'postgres',
      url: world.database.url,
      entities: wechatAuthEntities,
    }).initialize();
    try {
      return await dataSource.getRepository(WechatGrant).find();
    } finally {
      await dataSource.destroy();
    }
  }

  const notTheCallback = (location: string): boolean => !location.includes('/wechat/callback');

  it('calls onSignIn with the user, and says whether it is the first time', async () => {
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    await visitor.answerConsent(await visitor.press(await visitor.open(`${site.url}/me`)), 'allow');
    const openid = world.wechat.users[0]?.openid;
    expect(calls).toMatchObject([
      { user: { openid, scope: 'base', snapshot: false }, isNewGrant: true, path: '/wechat/callback' },
      {
        user: { openid, scope: 'userinfo', userInfo: { openid } },
        isNewGrant: false,
        path: '/wechat/callback',
      },
    ]);
  });

  it('calls onSignIn once for a callback that arrives twice', async () => {
    const visitor = new Visitor();
    const started = await visitor.open(`${site.url}/hello`, { follow: notTheCallback });
    const callback = started.headers['location'] ?? '';
    await Promise.all([visitor.open(callback), visitor.open(callback)]);
    expect(calls).toHaveLength(1);
  });

  it('refuses the sign-in with a page if onSignIn throws, keeps the grant, and is as new the next time', async () => {
    reject = new Error('the accounts table says no');
    const visitor = new Visitor();
    const refused = await visitor.open(`${site.url}/hello`);
    expect([refused.status, refused.body.includes('<h1>无法登录')]).toEqual([403, true]);
    expect(refused.body).not.toContain('accounts table');
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
    expect(await grants()).toHaveLength(1);
    reject = undefined;
    expect((await visitor.open(`${site.url}/hello`)).status).toBe(200);
    expect(calls.map(({ isNewGrant }) => isNewGrant)).toEqual([true, true]);
  });

  it('stores and links nothing on a snapshot page, and lets its visitor read but not write', async () => {
    const [user] = world.wechat.users;
    await world.wechat.user(user?.openid ?? '').snapshot(true);
    const visitor = new Visitor();
    const visit = await visitor.open(`${site.url}/direct`);
    const seen = JSON.parse(visit.body) as WechatUser;
    expect(seen).toMatchObject({ snapshot: true, scope: 'base' });
    expect(seen.userInfo).toBeUndefined();
    expect(await grants()).toEqual([]);
    expect(calls).toEqual([]);
    const posted = await visitor.fetch(`${site.url}/orders`, { method: 'POST' });
    expect([posted.status, JSON.parse(posted.body)]).toMatchObject([403, { code: 'snapshot_page' }]);
    world.clock.advance(10 * 60_000);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
  });

  it('makes the virtual user a real one by 使用完整服务, once', async () => {
    const openid = world.wechat.users[0]?.openid ?? '';
    await world.wechat.user(openid).snapshot(true);
    const visitor = new Visitor();
    const visit = await useFullService(visitor, await visitor.open(`${site.url}/direct`));
    expect(JSON.parse(visit.body)).toMatchObject({ openid, snapshot: false, userInfo: { openid } });
    expect(calls).toMatchObject([{ user: { openid }, isNewGrant: true }]);

    const callback = visit.trail.find((address) => address.includes('/wechat/callback')) ?? '';
    const again = await visitor.open(callback);
    expect(JSON.parse(again.body)).toMatchObject({ openid, snapshot: false });
    expect(calls).toHaveLength(1);
  });

  it('starts anew when 使用完整服务 comes later than the ticket lives', async () => {
    const openid = world.wechat.users[0]?.openid ?? '';
    await world.wechat.user(openid).snapshot(true);
    const visitor = new Visitor();
    const landed = await visitor.open(`${site.url}/direct`);
    world.clock.advance(11 * 60_000);
    const visit = await visitor.press(await useFullService(visitor, landed));
    expect(JSON.parse(visit.body)).toMatchObject({ openid, snapshot: false, userInfo: { openid } });
  });

  /** Presses the button that WeChat shows below a snapshot page, and allows. */
  async function useFullService(visitor: Visitor, { trail: [, atWechat = ''] }: Visit): Promise<Visit> {
    const consent = await visitor.open(`${atWechat.replace('#wechat_redirect', '')}&forcePopup=true`);
    return visitor.answerConsent(consent, 'allow');
  }

  it('gives a snapshot session no Max-Age, and never puts it in the place of a real one', async () => {
    const [user] = world.wechat.users;
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    await world.wechat.user(user?.openid ?? '').snapshot(true);
    await visitor.open(`${site.url}/wechat/sign-in?scope=userinfo&asked=1&return_to=/public`);
    const visit = await visitor.fetch(`${site.url}/hello`);
    expect(JSON.parse(visit.body)).toMatchObject({ openid: user?.openid, snapshot: false });

    const stranger = new Visitor();
    const landed = await stranger.open(`${site.url}/direct`, { follow: notTheCallback });
    const answered = await stranger.open(landed.headers['location'] ?? '', { follow: () => false });
    const cookie = answered.setCookies.find((line) => line.startsWith('wechat_session_'));
    expect(cookie).toBeDefined();
    expect(cookie).not.toMatch(/max-age|expires/i);
  });
});

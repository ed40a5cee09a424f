import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { WechatUser } from '../../src/index.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';

const DAY_MS = 24 * 60 * 60_000;

const KINDS_OF_WECHAT = [
  ['lets a silently issued token read the profile after a consent', true],
  ['never lets a silently issued token read the profile', false],
] as const;

describe.each(PLATFORMS.flatMap((platform) => KINDS_OF_WECHAT.map((kind) => [platform, ...kind] as const)))(
  'on %s, where WeChat %s',
  (platform, _how, grantMemory) => {
    let world: TestWorld;
    let site: TestInstance;
    let visitor: Visitor;

    beforeAll(async () => {
      world = await TestWorld.create({ grantMemory });
      site = await world.start({ platform });
    });
    beforeEach(async () => {
      await world.reset();
      visitor = new Visitor();
    });
    afterAll(() => world.close());

    function userOf(visit: Visit): WechatUser {
      expect([visit.status, visit.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      return JSON.parse(visit.body) as WechatUser;
    }

    async function consent(browser = visitor): Promise<Visit> {
      return browser.answerConsent(await browser.press(await browser.open(`${site.url}/me`)), 'allow');
    }

    function authorizations(): string[] {
      return world.wechat.requests
        .filter(({ endpoint }) => endpoint === 'authorize')
        .map(({ query }) => query['scope'] ?? '');
    }

    it('escalates from base to userinfo on the route that asks for it, once', async () => {
      expect(userOf(await visitor.open(`${site.url}/hello`)).scope).toBe('base');
      expect(userOf(await consent()).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
      const before = authorizations().length;
      expect(userOf(await visitor.open(`${site.url}/me`)).scope).toBe('userinfo');
      expect(userOf(await visitor.open(`${site.url}/hello`)).scope).toBe('base');
      expect(authorizations()).toHaveLength(before);
    });

    it('finds out silently that another browser belongs to somebody who has consented', async () => {
      await consent();
      const before = authorizations().length;
      const visit = await new Visitor().open(`${site.url}/me`);
      expect(userOf(visit).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
      expect(authorizations().slice(before)).toEqual(['snsapi_base', 'snsapi_userinfo']);
    });

    it('keeps consent and profile when a silent sign-in elsewhere replaces the tokens', async () => {
      await consent();
      await new Visitor().open(`${site.url}/hello`);
      expect(userOf(await visitor.open(`${site.url}/me`)).userInfo?.nickname).toBe(
        world.wechat.users[0]?.nickname,
      );
      const script = await visitor.fetch(`${site.url}/me`);
      expect(userOf(script).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
    });

    it('asks again, with the explanation first, once the consent is thirty days old', async () => {
      await consent();
      world.clock.advance(30 * DAY_MS);
      const explained = await visitor.open(`${site.url}/me`);
      expect(new URL(explained.url).pathname).toBe('/wechat/consent');
      const asked = await visitor.press(explained);
      expect(userOf(await visitor.answerConsent(asked, 'allow')).scope).toBe('userinfo');
    });

    it('shows a page on refusal, lets the user change their mind, and stores nothing of it', async () => {
      const asked = await visitor.press(await visitor.open(`${site.url}/me`));
      const refused = await visitor.answerConsent(asked, 'refuse');
      expect([refused.status, refused.body.includes('你没有同意授权')]).toEqual([403, true]);
      expect(userOf(await visitor.open(`${site.url}/hello`)).scope).toBe('base');
      const again = await visitor.press(refused);
      expect(userOf(await visitor.answerConsent(again, 'allow')).scope).toBe('userinfo');
    });

    it("goes straight to WeChat's consent on a route with prompt 'direct'", async () => {
      const asked = await visitor.open(`${site.url}/direct`);
      expect(new URL(asked.url).origin).toBe(world.wechat.url);
      expect(authorizations()).toEqual(['snsapi_userinfo']);
      expect(userOf(await visitor.answerConsent(asked, 'allow')).scope).toBe('userinfo');
    });

    it('never takes a silent authorization for a consent because somebody edited the address', async () => {
      const started = await visitor.open(`${site.url}/wechat/sign-in?scope=userinfo&asked=1&return_to=/me`, {
        follow: () => false,
      });
      const edited = (started.headers['location'] ?? '').replace(
        'scope=snsapi_userinfo',
        'scope=snsapi_base',
      );
      const visit = await visitor.open(edited);
      expect(new URL(visit.url).pathname).toBe('/wechat/consent');
    });

    it('knows two people apart who use one browser one after the other', async () => {
      const [first, second] = world.wechat.users;
      expect(userOf(await visitor.open(`${site.url}/hello`)).openid).toBe(first?.openid);
      await visitor.fetch(`${site.url}/wechat/sign-out`, { method: 'POST' });
      await world.wechat.signInAs(second?.openid ?? '');
      const invited = await visitor.open(`${site.url}/hello`);
      expect(userOf(await visitor.press(invited)).openid).toBe(second?.openid);
    });

    it('restarts once on a 48001 right after the consent, and shows a page on the second', async () => {
      await world.wechat.failNext('userinfo', { errcode: 48001, errmsg: 'api unauthorized' }, { times: 2 });
      const once = await consent();
      expect([once.status, once.body.includes('location.replace')]).toEqual([200, true]);
      const twice = await visitor.press(once);
      expect([twice.status, twice.body.includes('微信没有提供你的资料')]).toEqual([403, true]);
      const third = await visitor.press(twice);
      expect(userOf(third).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
    });

    it.each([
      ['-1 system error', { errcode: -1, errmsg: 'system error' }],
      ['an HTTP 500', { status: 500 }],
      ['a cut connection', { cut: true as const }],
      ['an HTML page', { body: '<html>Bad Gateway</html>', contentType: 'text/html' }],
    ])('signs in without a profile on %s, and brings it at the next request', async (_what, fault) => {
      await world.wechat.failNext('userinfo', fault, { times: 2 });
      const owed = userOf(await consent());
      expect(owed).toMatchObject({ scope: 'userinfo', openid: world.wechat.users[0]?.openid });
      expect(owed.userInfo).toBeUndefined();
      // WeChat has just failed: it is left alone for half a minute.
      const calls = world.wechat.requests.length;
      expect(userOf(await visitor.fetch(`${site.url}/me`)).userInfo).toBeUndefined();
      expect(world.wechat.requests).toHaveLength(calls);
      world.clock.advance(30_000);
      expect(userOf(await visitor.fetch(`${site.url}/me`)).userInfo?.nickname).toBe(
        world.wechat.users[0]?.nickname,
      );
    });

    it('asks WeChat for an owed profile once for all requests at the same time', async () => {
      await world.wechat.failNext('userinfo', { status: 500 }, { times: 2 });
      await consent();
      world.clock.advance(30_000);
      const before = world.wechat.requests.length;
      await world.wechat.failNext('userinfo', { delayMs: 300 });
      const visits = await Promise.all([1, 2, 3, 4].map(() => visitor.fetch(`${site.url}/me`)));
      expect(visits.map((visit) => userOf(visit).userInfo?.nickname)).toEqual(
        Array(4).fill(world.wechat.users[0]?.nickname),
      );
      expect(world.wechat.requests).toHaveLength(before + 1);
    });

    it('gets a new pair silently when WeChat rejects the one it has, and asks nobody', async () => {
      await world.wechat.failNext('userinfo', { status: 500 }, { times: 2 });
      await consent();
      world.clock.advance(30_000);
      await world.wechat.user(world.wechat.users[0]?.openid ?? '').changePassword();
      expect(userOf(await visitor.fetch(`${site.url}/me`)).userInfo).toBeUndefined();
      const before = authorizations().length;
      const mended = await visitor.open(`${site.url}/me`);
      expect(userOf(mended).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
      expect(authorizations().slice(before)).toEqual(['snsapi_userinfo']);
    });

    it('does not use a pair any more that WeChat rejects right after the exchange', async () => {
      await world.wechat.failNext('userinfo', { errcode: 40001 });
      expect(userOf(await consent()).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
      const presented = world.wechat.requests
        .filter(({ endpoint }) => endpoint === 'userinfo')
        .map(({ query }) => query['access_token']);
      expect(presented).toHaveLength(2);
      expect(new Set(presented).size).toBe(2);
    });

    it('mends an owed profile silently when the access token has ended meanwhile', async () => {
      await world.wechat.failNext('userinfo', { status: 500 }, { times: 2 });
      await consent();
      world.clock.advance(3 * 60 * 60_000);
      expect(userOf(await visitor.fetch(`${site.url}/me`)).userInfo).toBeUndefined();
      const mended = await visitor.open(`${site.url}/me`);
      expect(userOf(mended).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
    });
  },
);

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { WechatUser } from '../../src/index.js';
import { type Platform, PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';
import { type Front, HOSTINGS, MOBILE, SHOP } from './hostings.js';

const stay = { follow: (): boolean => false };

describe.each(PLATFORMS)('signing in on %s', (platform: Platform) => {
  let world: TestWorld;

  beforeAll(async () => {
    world = await TestWorld.create({
      apps: [
        {
          appId: 'wx00000000000000aa',
          appSecret: 'a'.repeat(32),
          redirectDomains: ['127.0.0.1', new URL(SHOP).hostname, new URL(MOBILE).hostname],
        },
      ],
    });
  });
  afterEach(() => {
    // A new month: every consent has ended.
    world.clock.advance(31 * 24 * 60 * 60_000);
  });
  afterAll(() => world.close());

  describe.each(HOSTINGS)('$name', (hosting) => {
    let front: Front | undefined;
    let visitor: Visitor;
    /** Addresses as a browser has them: of the start page, and of the host's and the module's routes. */
    let start: string;
    let host: string;
    let module: string;
    let newVisitor: () => Visitor;

    beforeAll(async () => {
      const options = hosting.options?.(platform) ?? {};
      const site: TestInstance = await world.start({
        platform,
        ...options,
        module: { ...(hosting.publicUrl && { publicUrl: hosting.publicUrl }), ...options.module },
      });
      front = await hosting.front?.(site, platform);
      const base = hosting.publicUrl ?? site.url;
      start = `${base}/`;
      host = base + (hosting.hostPath ?? '');
      module = base + (hosting.modulePath ?? '/wechat');
      const places = front && { [new URL(base).origin]: front.origin };
      newVisitor = () => new Visitor(hosting.visitorHeaders, places);
    });
    afterAll(() => front?.close());

    const open = (address: string): Promise<Visit> => (visitor = newVisitor()).open(address);

    function expectCallback(redirectUri: string | undefined | null): void {
      const { origin, pathname, searchParams } = new URL(redirectUri ?? '');
      expect([origin + pathname, ...searchParams.keys()]).toEqual([`${module}/callback`, 't']);
    }

    /** The address that WeChat was last asked to send the browser back to. */
    function redirectUri(): string | undefined {
      return world.wechat.requests.findLast(({ endpoint }) => endpoint === 'authorize')?.query[
        'redirect_uri'
      ];
    }

    function expectCookie({ setCookies }: Visit, kind: string): void {
      const secure = start.startsWith('https:');
      const cookies = setCookies.filter((line) => line.includes(kind));
      expect(cookies).toEqual([
        expect.stringMatching(new RegExp(`^${secure ? '__Host-' : ''}${kind}_[0-9a-f]{16}=`)),
      ]);
      const [, ...attributes] = cookies.join().split('; ');
      expect(attributes.filter((attribute) => !/^(Max-Age|Expires)=/.test(attribute)).sort()).toEqual([
        'HttpOnly',
        'Path=/',
        'SameSite=Lax',
        ...(secure ? ['Secure'] : []),
      ]);
    }

    function userOf(visit: Visit): WechatUser {
      expect([visit.status, visit.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
      return JSON.parse(visit.body) as WechatUser;
    }

    it('lets the visitor of a base page in silently, and leads back to that page', async () => {
      visitor = newVisitor();
      const page = `${host}/hello?from=poster&name=%E5%B0%8F%E6%98%8E`;
      const leaving = await visitor.open(page, stay);
      expect(leaving.status).toBe(302);
      expectCookie(leaving, 'wechat_browser');
      const authorize = leaving.headers['location'] ?? '';
      expect(authorize).toMatch(`${world.wechat.openBaseUrl}/connect/oauth2/authorize?`);
      expectCallback(new URL(authorize).searchParams.get('redirect_uri'));

      const back = await visitor.open(authorize, { follow: (location) => location.includes('/callback?') });
      expect([back.status, back.headers['location']]).toEqual([303, `${page}#`]);
      expectCookie(back, 'wechat_session');

      const arrived = await visitor.open(page);
      expect(arrived.trail).toHaveLength(1);
      expect(userOf(arrived)).toMatchObject({ openid: world.wechat.users[0]?.openid, scope: 'base' });
    });

    it('explains a userinfo page, asks for consent, and leads back to the page', async () => {
      const explained = await open(`${host}/me?tab=2`);
      expect([explained.status, explained.url.split('?')[0]]).toEqual([200, `${module}/consent`]);
      const asked = await visitor.press(explained);
      expectCallback(redirectUri());
      const arrived = await visitor.answerConsent(asked, 'allow');
      expect(arrived.url).toBe(`${host}/me?tab=2`);
      expect(userOf(arrived).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
    });

    it('tells a script where to send its page, which comes back signed in', async () => {
      visitor = newVisitor();
      const refused = await visitor.fetch(`${host}/me`);
      expect(refused.status).toBe(401);
      const { signInUrl } = JSON.parse(refused.body) as { signInUrl: string };
      expect(signInUrl).toBe(`${module}/sign-in?scope=userinfo`);
      const page = `${host}/public?tab=2#top`;
      const returnTo = encodeURIComponent(page.slice(new URL(page).origin.length));
      const asked = await visitor.press(await visitor.open(`${signInUrl}&return_to=${returnTo}`));
      expect((await visitor.answerConsent(asked, 'allow')).url).toBe(page);
      expect(userOf(await visitor.fetch(`${host}/me`)).scope).toBe('userinfo');
    });

    it('signs out by a form, and comes back to the page that was asked for', async () => {
      await open(`${host}/hello`);
      const { origin, pathname } = new URL(`${host}/public`);
      const form = {
        method: 'POST',
        headers: {
          accept: 'text/html',
          'content-type': 'application/x-www-form-urlencoded',
          origin,
          'sec-fetch-site': 'same-origin',
        },
        body: '',
      } as const;
      const out = await visitor.fetch(`${module}/sign-out?return_to=${encodeURIComponent(pathname)}`, form);
      expect([out.status, out.headers['location']]).toEqual([303, `${host}/public`]);
      expectCookie(out, 'wechat_session');
      expect((await visitor.fetch(`${host}/hello`)).status).toBe(401);
      const goodbye = await visitor.fetch(`${module}/sign-out`, form);
      expect([goodbye.status, linksOf(goodbye)]).toEqual([200, [start]]);
    });

    it('shows a page to somebody who refuses, from where another try works', async () => {
      const refused = await visitor.answerConsent(await open(`${host}/direct`), 'refuse');
      expect([refused.status, refused.url.split('?')[0]]).toEqual([403, `${module}/callback`]);
      expect(linksOf(refused)).toEqual([expect.stringContaining(`${module}/sign-in?`), start]);
      const asked = await visitor.press(refused);
      expectCallback(redirectUri());
      const arrived = await visitor.answerConsent(asked, 'allow');
      expect([userOf(arrived).scope, arrived.url]).toEqual(['userinfo', `${host}/direct`]);
    });
  });
});

function linksOf(page: Visit): string[] {
  return [...page.body.matchAll(/ href="([^"]*)"/g)].map(([, href = '']) => href);
}

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signInWechatUser } from '../../src/testing/index.js';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { TestWorld } from '../support/test-app.js';

describe('a browser with the cookies of a user whom a test has signed in', () => {
  let world: TestWorld;
  let chromium: TestBrowser;

  beforeAll(async () => {
    world = await TestWorld.create();
    chromium = await openBrowser();
  });
  afterAll(async () => {
    await chromium.close();
    await world.close();
  });

  it.each(['express', 'fastify'] as const)(
    'opens a protected page without going anywhere, on %s',
    async (platform) => {
      const site = await world.start({ platform });
      const { cookies, user } = await signInWechatUser(site.app, { userInfo: { nickname: '小满' } });
      const page = await chromium.newPage({ phone: true });
      await page.context().addCookies(cookies);
      const response = await page.goto(`${site.url}/me`);
      expect([response?.status(), await response?.json()]).toEqual([200, user]);
      expect(await page.evaluate('document.cookie')).toBe('');
      expect(world.wechat.requests).toEqual([]);
    },
  );

  it('takes those of an https address too', async () => {
    const site = await world.start({ module: { publicUrl: 'https://a.example.com' } });
    const { cookies } = await signInWechatUser(site.app);
    const context = (await chromium.newPage()).context();
    await context.addCookies(cookies);
    expect(await context.cookies('https://a.example.com')).toMatchObject(cookies);
    expect(await context.cookies('https://sub.a.example.com')).toEqual([]);
    expect(await context.cookies('http://a.example.com')).toEqual([]);
  });
});

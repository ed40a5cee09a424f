import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { Page } from 'playwright-core';
import type { WechatUser } from '../../src/index.js';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';

describe.each(PLATFORMS)('on a phone whose WeChat has habits of its own, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let browser: TestBrowser;
  let page: Page;
  /** The callbacks that reached the application. */
  let callbacks: URL[];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    callbacks = [];
    page = await browser.newPage({ phone: true });
  });
  afterEach(async () => {
    await page.context().close();
    await world.close();
  });

  async function start(emulator: Parameters<typeof TestWorld.create>[0]): Promise<void> {
    world = await TestWorld.create({ requireWechatUserAgent: true, ...emulator });
    site = await world.start({ platform, configure: (app) => recordCallbacks(app, callbacks) });
  }

  it.each(['same-code', 'two-codes'] as const)(
    'opens each callback twice at once (%s), and the user is signed in with one exchange for each state',
    async (doubleCallback) => {
      await start({ doubleCallback });
      await page.goto(`${site.url}/me`);
      await page.getByRole('link', { name: '继续' }).click();
      await page.getByRole('button', { name: '允许' }).click();

      expect((await shown(page)).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
      // Who it is, silently, and then what the profile is.
      const states = [...new Set(callbacks.map(stateOf))];
      expect(callbacks.map(stateOf)).toEqual(states.flatMap((state) => [state, state]));
      expect(states).toHaveLength(2);
      const codes = new Set(callbacks.map(({ searchParams }) => searchParams.get('code')));
      expect(codes.size).toBe(doubleCallback === 'two-codes' ? 4 : 2);
      expect(exchanges(world)).toHaveLength(2);
    },
  );

  it('goes back to a page that goes to the callback again, and the user is still there', async () => {
    await start({ doubleCallback: 'restored' });
    await page.goto(`${site.url}/hello`);
    const user = await shown(page);
    await page.goBack();

    expect((await shown(page)).openid).toBe(user.openid);
    expect(callbacks.map(stateOf)).toHaveLength(2);
    expect(exchanges(world)).toHaveLength(1);
  });

  it('opens the application as a snapshot page, then its full service, and only that makes the user known', async () => {
    await start({});
    const { openid = '', nickname = '' } = world.wechat.users[0] ?? {};
    await world.wechat.user(openid).snapshot();
    await page.goto(`${site.url}/direct`);
    const virtual = await shown(page);
    expect(virtual.snapshot).toBe(true);
    expect(virtual.openid).not.toBe(openid);
    expect(await world.query('SELECT openid FROM wechat_grant')).toEqual([]);

    await page.goto(world.wechat.url);
    await page.getByRole('link', { name: '使用完整服务' }).click();
    await page.getByRole('button', { name: '允许' }).click();
    expect(await shown(page)).toMatchObject({ openid, snapshot: false, userInfo: { nickname } });
    expect(await world.query('SELECT openid FROM wechat_grant')).toEqual([{ openid }]);
    // The state of the snapshot page, whose outcome is not final, is exchanged once more.
    expect(new Set(callbacks.map(stateOf)).size).toBe(1);
    expect(exchanges(world)).toHaveLength(2);

    await page.goto(world.wechat.url);
    expect(await page.getByRole('link', { name: '使用完整服务' }).count()).toBe(0);
  });
});

function recordCallbacks(app: INestApplication, callbacks: URL[]): void {
  app.use(({ url }: { url: string }, _response: unknown, next: () => void) => {
    const address = new URL(url, 'http://application');
    if (address.pathname === '/wechat/callback') callbacks.push(address);
    next();
  });
}

function stateOf({ searchParams }: URL): string {
  return searchParams.get('state') ?? '';
}

function exchanges({ wechat }: TestWorld): readonly unknown[] {
  return wechat.requests.filter(({ endpoint }) => endpoint === 'token');
}

async function shown(page: Page): Promise<WechatUser> {
  await page.waitForURL((url) => ['/hello', '/me', '/direct'].includes(url.pathname));
  return JSON.parse(await page.innerText('body')) as WechatUser;
}

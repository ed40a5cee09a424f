import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header } from '@nestjs/common';
import type { Page } from 'playwright-core';
import { CurrentWechatUser, WechatAuth, type WechatAuthOptions, type WechatUser } from '../../src/index.js';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { useHelmet } from '../sign-in/hostings.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';

/** A host's pages, as they can be under a strict policy: the script is a file. */
@Controller()
class PageController {
  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @WechatAuth('base', { optional: true })
  start(@CurrentWechatUser() user: WechatUser | undefined): string {
    return `<!doctype html><title>start</title><h1>${user ? 'known' : 'unknown'}</h1>
      <form method="post" action="/wechat/sign-out?return_to=/"><button>sign out</button></form>
      <form method="post" action="/wechat/sign-out?return_to=/hello"><button>sign out to a protected page</button></form>
      <form action="/hello"><button>go to a protected page</button></form>
      <button id="load">load</button><p id="result"></p>
      <script src="/start.js"></script>`;
  }

  @Get('start.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  script(): string {
    return `document.getElementById('load').onclick = async () => {
      const response = await fetch('/me');
      const body = await response.json();
      if (response.status === 401) location = body.signInUrl + '&return_to=' + encodeURIComponent('/#loaded');
      else document.getElementById('result').textContent = body.userInfo.nickname;
    };`;
  }
}

describe.each(PLATFORMS)('a person with a phone, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let browser: TestBrowser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    world = await TestWorld.create({ requireWechatUserAgent: true });
    site = await world.start({ platform, controllers: [PageController] });
    page = await browser.newPage({ phone: true });
    complaints = [];
    collectComplaints(page, complaints);
  });
  afterEach(async () => {
    await page.context().close();
    await world.close();
    expect(complaints).toEqual([]);
  });

  it('opens a base page and is known at once', async () => {
    await page.goto(`${site.url}/hello`);
    expect(await shown(page)).toMatchObject({ openid: world.wechat.users[0]?.openid, scope: 'base' });
  });

  it('opens a userinfo page, reads why, agrees, and is known in a new tab without WeChat', async () => {
    await page.goto(`${site.url}/me`);
    await page.getByRole('link', { name: '继续' }).click();
    await answerConsent(page, '允许');
    const nickname = world.wechat.users[0]?.nickname;
    expect((await shown(page)).userInfo?.nickname).toBe(nickname);

    const visits = world.wechat.requests.length;
    const tab = await page.context().newPage();
    await tab.goto(`${site.url}/me`);
    expect((JSON.parse(await tab.innerText('body')) as WechatUser).userInfo?.nickname).toBe(nickname);
    expect(world.wechat.requests).toHaveLength(visits);
  });

  it('refuses, reads what that means, and changes their mind', async () => {
    await page.goto(`${site.url}/me`);
    await page.getByRole('link', { name: '继续' }).click();
    await answerConsent(page, '拒绝');
    await page.getByRole('heading', { name: '你没有同意授权' }).waitFor();
    await page.getByRole('link', { name: '重新登录' }).click();
    await answerConsent(page, '允许');
    expect((await shown(page)).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
  });

  it('goes back with the back button and never meets a used code', async () => {
    await page.goto(`${site.url}/hello`);
    await page.goto(`${site.url}/me`);
    await page.getByRole('link', { name: '继续' }).click();
    await answerConsent(page, '允许');
    await shown(page);
    await page.goBack();
    await page.goBack();
    await page.goForward();
    await page.goto(`${site.url}/me`);
    expect((await shown(page)).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
    const codes = world.wechat.requests
      .filter(({ endpoint }) => endpoint === 'token')
      .map(({ query }) => query['code']);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('loses the cookies on the way, and gets there by itself on the second try', async () => {
    await page.goto(`${site.url}/wechat/sign-in?scope=userinfo&asked=1&return_to=/me`);
    await page.context().clearCookies();
    await answerConsent(page, '允许');
    expect((await shown(page)).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
  });

  it('presses a button whose script needs the profile, and comes back to that page', async () => {
    await page.goto(`${site.url}/`);
    await page.click('#load');
    await page.getByRole('link', { name: '继续' }).click();
    await answerConsent(page, '允许');
    await page.waitForURL(`${site.url}/#loaded`);
    await page.click('#load');
    await page.getByText(world.wechat.users[0]?.nickname ?? '').waitFor();
  });

  it('signs out and is unknown', async () => {
    await page.goto(`${site.url}/hello`);
    await shown(page);
    await page.goto(`${site.url}/`);
    await page.getByRole('heading', { name: 'known', exact: true }).waitFor();
    await page.getByRole('button', { name: 'sign out', exact: true }).click();
    await page.getByRole('heading', { name: 'unknown', exact: true }).waitFor();
    expect(page.url()).toBe(`${site.url}/`);
  });
});

describe.each(PLATFORMS)("a person on a site with helmet's default policy, on %s", (platform) => {
  let world: TestWorld;
  let browser: TestBrowser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    world = await TestWorld.create({ requireWechatUserAgent: true });
    page = await browser.newPage({ phone: true });
    complaints = [];
    collectComplaints(page, complaints);
  });
  afterEach(async () => {
    await page.context().close();
    await world.close();
    expect(complaints).toEqual([]);
  });

  function start(module: WechatAuthOptions = {}, formActions: string[] = []): Promise<TestInstance> {
    return world.start({
      platform,
      module,
      controllers: [PageController],
      configure: (app) => useHelmet(app, platform, formActions),
    });
  }

  it('signs in from a script, and signs out by a form', async () => {
    const site = await start();
    await page.goto(`${site.url}/`);
    await page.click('#load');
    await page.getByRole('link', { name: '继续' }).click();
    await answerConsent(page, '允许');
    await page.waitForURL(`${site.url}/#loaded`);
    await page.click('#load');
    await page.getByText(world.wechat.users[0]?.nickname ?? '').waitFor();
    await page.getByRole('button', { name: 'sign out', exact: true }).click();
    await page.getByRole('heading', { name: 'unknown', exact: true }).waitFor();
  });

  it('loses the cookies on the way, and gets there by itself on the second try', async () => {
    const site = await start();
    await page.goto(`${site.url}/direct`);
    await page.context().clearCookies();
    await answerConsent(page, '允许');
    expect((await shown(page)).userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
  });

  it('opens the callback a second time while the first is at work, waits, and gets there by itself', async () => {
    let letIn: () => void = () => undefined;
    const mayEnter = new Promise<void>((resolve) => (letIn = resolve));
    let isAtWork: () => void = () => undefined;
    const atWork = new Promise<void>((resolve) => (isAtWork = resolve));
    const site = await start({
      onSignIn: () => {
        isAtWork();
        return mayEnter;
      },
    });
    const callback = page.waitForRequest(/\/wechat\/callback/);
    const first = page.goto(`${site.url}/hello`);
    // Before that the second one might be first, and wait for itself.
    await atWork;
    const tab = await page.context().newPage();
    collectComplaints(tab, complaints);
    // A parameter more, since Chromium holds a second request for the very same address back for 20 s.
    await tab.goto(`${(await callback).url()}&again=1`);
    await tab.getByRole('heading', { name: '正在登录' }).waitFor();
    letIn();
    await first;
    expect((await shown(tab)).openid).toBe(world.wechat.users[0]?.openid);
  });

  it('gets from a form to a protected page by way of WeChat, once form-action names WeChat', async () => {
    const site = await start({}, [world.wechat.openBaseUrl]);
    await page.goto(`${site.url}/`);
    await page.getByRole('button', { name: 'go to a protected page' }).click();
    expect((await shown(page)).openid).toBe(world.wechat.users[0]?.openid);
  });

  it('signs out to a protected page, is not signed in again by that, but by a button', async () => {
    const site = await start();
    await page.goto(`${site.url}/hello`);
    await page.goto(`${site.url}/`);
    await page.getByRole('button', { name: 'sign out to a protected page' }).click();
    await page.getByRole('heading', { name: '你已退出登录' }).waitFor();
    await page.getByRole('link', { name: '微信登录' }).click();
    expect((await shown(page)).openid).toBe(world.wechat.users[0]?.openid);
    await page.goBack();
    await page.goto(`${site.url}/hello`);
    expect((await shown(page)).openid).toBe(world.wechat.users[0]?.openid);
  });
});

describe('a person with a browser other than WeChat', () => {
  it('reads the address to open in WeChat', async () => {
    const world = await TestWorld.create();
    const site = await world.start({ module: { outsideWechat: 'open-in-wechat' } });
    const browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(`${site.url}/me?tab=1`);
    await page.getByRole('heading', { name: '请在微信中打开' }).waitFor();
    expect(await page.innerText('.address')).toBe(`${site.url}/me?tab=1`);
    await browser.close();
    await world.close();
  });
});

/** Fills up with what the browser blocks, and with what breaks on the page. */
function collectComplaints(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
}

async function answerConsent(page: Page, answer: '允许' | '拒绝'): Promise<void> {
  await page.getByRole('button', { name: answer }).click();
}

async function shown(page: Page): Promise<WechatUser> {
  await page.waitForURL((url) => ['/hello', '/me', '/direct'].includes(url.pathname));
  return JSON.parse(await page.innerText('body')) as WechatUser;
}

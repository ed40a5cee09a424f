import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';

const notTheCallback = (location: string): boolean => !location.includes('/wechat/callback');

describe.each(PLATFORMS)('a callback that is not as it should be, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform });
  });
  afterEach(() => world.wechat.reset());
  afterAll(() => world.close());

  /** Starts a sign-in and stops where WeChat sends the browser back. */
  async function untilCallback(visitor: Visitor): Promise<URL> {
    const visit = await visitor.open(`${site.url}/hello`, { follow: notTheCallback });
    return new URL(visit.headers['location'] ?? '');
  }

  function withParameter(url: URL, name: string, value: string | undefined): string {
    const changed = new URL(url);
    if (value === undefined) changed.searchParams.delete(name);
    else changed.searchParams.set(name, value);
    return changed.href;
  }

  function exchanges(): number {
    return world.wechat.requests.filter(({ endpoint }) => endpoint === 'token').length;
  }

  async function isSignedIn(visitor: Visitor): Promise<boolean> {
    const visit = await visitor.fetch(`${site.url}/hello`);
    return visit.status === 200;
  }

  function expectCleanPage(visit: Visit): void {
    expect(visit.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(visit.headers['cache-control']).toBe('no-store');
    expect(visit.headers['referrer-policy']).toBe('same-origin');
    expect(visit.body).toContain('<html lang="zh-CN">');
    expect(visit.body).not.toMatch(/\bat \S+ \(|node_modules|errcode/);
  }

  it.each<[string, (url: URL) => string]>([
    ['is missing', (url) => withParameter(url, 't', undefined)],
    ['is empty', (url) => withParameter(url, 't', '')],
    ['is cut short', (url) => withParameter(url, 't', url.searchParams.get('t')?.slice(0, -3))],
    ['is changed', (url) => withParameter(url, 't', `A${url.searchParams.get('t')?.slice(1) ?? ''}`)],
    ['is nonsense', (url) => withParameter(url, 't', '<script>alert(1)</script>')],
  ])('shows a page and exchanges nothing if the ticket %s', async (_how, change) => {
    const visitor = new Visitor();
    const visit = await visitor.open(change(await untilCallback(visitor)));
    expect(visit.status).toBe(400);
    expectCleanPage(visit);
    expect(visit.body).toContain('登录链接无效');
    expect(visit.body).not.toContain('<script>alert');
    expect(exchanges()).toBe(0);
  });

  it.each<[string, (url: URL) => string]>([
    ['is missing', (url) => withParameter(url, 'state', undefined)],
    ['is empty', (url) => withParameter(url, 'state', '')],
    ['is changed', (url) => withParameter(url, 'state', `1${'0'.repeat(96)}`)],
    ['is far too long', (url) => withParameter(url, 'state', '1'.repeat(5000))],
  ])('starts again, with another code, if the state %s', async (_how, change) => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    const again = await visitor.open(change(callback));
    expect(again.status).toBe(200);
    expectCleanPage(again);
    expect(exchanges()).toBe(0);
    const visit = await visitor.press(again);
    expect(visit.url).toBe(`${site.url}/hello`);
    expect(exchanges()).toBe(1);
    const exchanged = world.wechat.requests.find(({ endpoint }) => endpoint === 'token');
    expect(exchanged?.query['code']).not.toBe(callback.searchParams.get('code'));
  });

  it("never signs a browser in with another browser's callback", async () => {
    const attacker = new Visitor();
    const callback = await untilCallback(attacker);
    const victim = new Visitor();
    const again = await victim.open(callback.href);
    expect(exchanges()).toBe(0);
    expect(await isSignedIn(victim)).toBe(false);
    // The code was seen in a foreign browser, so it is of no use in its own one either.
    const visit = await attacker.open(callback.href);
    expect(world.wechat.requests.filter(({ endpoint }) => endpoint === 'token')).toEqual([]);
    expect(visit.url).toContain('/wechat/callback');
    expect((await victim.press(again)).url).toBe(`${site.url}/hello`);
  });

  it("never accepts a state together with another sign-in's ticket", async () => {
    const visitor = new Visitor();
    const first = await untilCallback(visitor);
    const second = await untilCallback(visitor);
    await visitor.open(withParameter(first, 't', second.searchParams.get('t') ?? ''));
    expect(exchanges()).toBe(0);
    expect(await isSignedIn(visitor)).toBe(false);
  });

  it('stops with advice after the third try if a browser keeps no cookies', async () => {
    const visitor = new Visitor();
    const forget = (): void => {
      visitor.cookies(site.url).clear();
    };
    const first = await untilCallback(visitor);
    forget();
    const second = await visitor.open(first.href);
    expect(second.status).toBe(200);
    expect(second.setCookies.join()).toContain('wechat_browser_');
    const third = await visitor.press(second, {
      follow: (location) => {
        if (location.includes('/wechat/callback')) forget();
        return true;
      },
    });
    expect(third.status).toBe(403);
    expectCleanPage(third);
    expect(third.body).toContain('Cookie');
    expect(exchanges()).toBe(0);
  });

  it.each<[string, (url: URL) => string]>([
    ['code=authdeny', (url) => withParameter(url, 'code', 'authdeny')],
    ['a state without a code', (url) => withParameter(url, 'code', undefined)],
    ['an empty code', (url) => withParameter(url, 'code', '')],
  ])('shows that the user refused, on %s', async (_how, change) => {
    const visitor = new Visitor();
    const visit = await visitor.open(change(await untilCallback(visitor)));
    expect(visit.status).toBe(403);
    expectCleanPage(visit);
    expect(visit.body).toContain('你没有同意授权');
    expect(exchanges()).toBe(0);
    expect((await visitor.press(visit)).url).toBe(`${site.url}/hello`);
  });

  it.each([
    ['an unknown code', '0'.repeat(32)],
    ['a code of impossible length', 'x'.repeat(2000)],
  ])('starts again on %s, and the second try works', async (_what, code) => {
    const visitor = new Visitor();
    const again = await visitor.open(withParameter(await untilCallback(visitor), 'code', code));
    expect(again.status).toBe(200);
    expectCleanPage(again);
    expect((await visitor.press(again)).url).toBe(`${site.url}/hello`);
  });

  it('stops after the third try if WeChat knows none of its own codes', async () => {
    await world.wechat.failNext('token', { errcode: 40029 }, { times: 9 });
    const visitor = new Visitor();
    const again = await visitor.open(`${site.url}/hello`);
    const stopped = await visitor.press(again);
    expect(stopped.status).toBe(403);
    expectCleanPage(stopped);
    expect(exchanges()).toBe(2);
  });

  it('starts again on a callback that is older than ten minutes, without using its code', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    world.clock.advance(10 * 60_000);
    const again = await visitor.open(callback.href);
    expect(exchanges()).toBe(0);
    expect((await visitor.press(again)).url).toBe(`${site.url}/hello`);
  });

  it.each([
    ['HEAD', { method: 'HEAD' as const }, {}],
    [
      'a prefetch',
      {},
      { 'sec-purpose': 'prefetch', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ],
    ['a frame', {}, { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['a script', {}, { accept: '*/*' }],
  ])('finishes nothing for %s', async (_what, init, headers) => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    const visit = await visitor.fetch(callback.href, { ...init, headers });
    expect(visit.status).toBe(400);
    expect(exchanges()).toBe(0);
    expect((await visitor.open(callback.href)).url).toBe(`${site.url}/hello`);
  });
});

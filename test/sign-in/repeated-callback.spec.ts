import { createHash } from 'node:crypto';
import { createServer, request as forward, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { freePort, PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';
import { isInvitation } from './sign-out.harness.js';

const notTheCallback = (location: string): boolean => !location.includes('/wechat/callback');

/** Hands every request to the next instance in turn. */
async function roundRobin(port: number, targets: readonly TestInstance[]): Promise<Server> {
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const target = targets[turn++ % targets.length] as TestInstance;
    const { port: targetPort } = new URL(target.url);
    incoming.pipe(
      forward(
        {
          host: '127.0.0.1',
          port: targetPort,
          path: incoming.url ?? '/',
          method: incoming.method ?? 'GET',
          headers: incoming.headers,
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
          answer.pipe(outgoing);
        },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

describe('a callback that arrives more than once, on two instances behind a round-robin', () => {
  let world: TestWorld;
  let balancer: Server;
  let url: string;
  let instances: TestInstance[];
  /** Visits that WeChat keeps waiting. */
  const hanging: Promise<unknown>[] = [];

  beforeAll(async () => {
    world = await TestWorld.create();
    const port = await freePort();
    url = `http://127.0.0.1:${String(port)}`;
    instances = [
      await world.start({ platform: 'express', module: { publicUrl: url } }),
      await world.start({ platform: 'fastify', module: { publicUrl: url } }),
    ];
    balancer = await roundRobin(port, instances);
  });
  beforeEach(() => world.wechat.reset());
  afterEach(() => {
    // Each test is a new day: no browser is taken for one that goes in circles.
    world.clock.advance(24 * 60 * 60_000);
  });
  afterAll(async () => {
    await world.wechat.close();
    await Promise.all(hanging);
    await world.close();
    balancer.closeAllConnections();
    await new Promise((resolve) => balancer.close(resolve));
  });

  async function untilCallback(visitor: Visitor): Promise<string> {
    const visit = await visitor.open(`${url}/hello`, { follow: notTheCallback });
    return visit.headers['location'] ?? '';
  }

  function exchanges(): number {
    return world.wechat.requests.filter(({ endpoint }) => endpoint === 'token').length;
  }

  const stay = { follow: (): boolean => false };

  function expectSameSession(visits: readonly Visit[]): void {
    for (const visit of visits) {
      expect(visit.status).toBe(303);
      expect(visit.headers['location']).toBe(`${url}/hello#`);
    }
    expect(exchanges()).toBe(1);
  }

  it('a sign-in started on one instance ends on the other', async () => {
    const visit = await new Visitor().open(`${url}/hello`);
    expect(visit.url).toBe(`${url}/hello`);
    expect(visit.status).toBe(200);
  });

  it('exchanges the code once when the same callback arrives many times at once', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    await world.wechat.failNext('token', { delayMs: 300 });
    expectSameSession(await Promise.all(Array.from({ length: 6 }, () => visitor.open(callback, stay))));
  });

  it('exchanges one code when two callbacks come with different codes and the same state', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    const other = new URL(callback);
    other.searchParams.set('code', new URL(await untilCallback(visitor)).searchParams.get('code') ?? '');
    await world.wechat.failNext('token', { delayMs: 300 });
    expectSameSession(await Promise.all([visitor.open(callback, stay), visitor.open(other.href, stay)]));
  });

  it('goes to the page, not to WeChat, on the back button and on reload', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    expectSameSession([await visitor.open(callback, stay), await visitor.open(callback, stay)]);
    world.clock.advance(14 * 60_000);
    // Older than a ticket may be, but the outcome is still there.
    expectSameSession([await visitor.open(callback, stay)]);
  });

  it('starts again when the outcome has been forgotten, and uses no code twice', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    await visitor.open(callback, stay);
    world.clock.advance(15 * 60_000);
    const again = await visitor.open(callback);
    expect(exchanges()).toBe(1);
    expect((await visitor.press(again)).url).toBe(`${url}/hello`);
    expect(exchanges()).toBe(2);
  });

  it('signs nobody in again from the history of a browser that has signed out', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    await visitor.open(callback, stay);
    await visitor.fetch(`${url}/wechat/sign-out`, { method: 'POST' });
    const back = await visitor.open(callback, stay);
    expect(isInvitation(back)).toBe(true);
    expect(back.setCookies.filter((line) => line.includes('wechat_session_'))).toEqual([]);
    expect(exchanges()).toBe(1);
  });

  it('lets any number of tabs of one browser sign in at once', async () => {
    const visitor = new Visitor();
    const callbacks: string[] = [];
    for (let tab = 0; tab < 5; tab++) callbacks.push(await untilCallback(visitor));
    for (const callback of callbacks) expect((await visitor.open(callback)).url).toBe(`${url}/hello`);
  });

  it('never exchanges a second code of a state whose first exchange failed', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    const other = await untilCallback(visitor);
    const secondCode = new URL(other).searchParams.get('code') ?? '';
    await world.wechat.failNext('token', { errcode: -1 });
    await visitor.open(callback, stay);
    const again = new URL(callback);
    again.searchParams.set('code', secondCode);
    await visitor.open(again.href, stay);
    // Not even with the state that it was given out for.
    await visitor.open(other, stay);
    expect(exchanges()).toBe(1);
  });

  it('lets a late callback replace no newer session', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    await visitor.open(callback, stay);
    const [, second] = world.wechat.users;
    await world.wechat.signInAs(second?.openid ?? '');
    visitor.cookies(url).forEach((_value, name, cookies) => {
      if (name.startsWith('wechat_session_')) cookies.delete(name);
    });
    await visitor.open(`${url}/hello`);
    const back = await visitor.open(callback);
    expect(JSON.parse(back.body)).toMatchObject({ openid: second?.openid });
    await world.wechat.signInAs(world.wechat.users[0]?.openid ?? '');
  });

  it.each(PLATFORMS)(
    'gives a second hit a page that reloads itself while WeChat is slow, on %s',
    async (platform) => {
      const patient = await world.start({ platform, module: { requestTimeoutMs: 60_000 } });
      const visitor = new Visitor();
      const callback = (await visitor.open(`${patient.url}/hello`, { follow: notTheCallback })).headers[
        'location'
      ];
      await world.wechat.failNext('token', { hang: true });
      hanging.push(visitor.open(callback ?? '', stay).catch((error: unknown) => error));
      while (exchanges() === 0) await new Promise((resolve) => setImmediate(resolve));
      const second = await visitor.open(callback ?? '', stay);
      expect(second.status).toBe(200);
      expect(second.body).toContain('location.reload()');
      // The page's own policy lets the script run.
      const [, script = ''] = /<script>(.*)<\/script>/.exec(second.body) ?? [];
      const hash = createHash('sha256').update(script).digest('base64');
      expect(second.headers['content-security-policy']).toContain(`'sha256-${hash}'`);
      // Where no script runs, a button does the same.
      const pressed = await visitor.press(second, stay);
      expect([pressed.status, pressed.url]).toEqual([200, callback]);
      // The first one's process is gone, so to say: its lease runs out, and a new sign-in works.
      world.clock.advance(60_000);
      const again = await visitor.open(callback ?? '');
      expect((await visitor.press(again)).url).toBe(`${patient.url}/hello`);
    },
  );
});

import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { everythingBut } from '../support/timers.js';
import { Visitor } from '../support/visitor.js';

describe.each(PLATFORMS)('an exchange whose onSignIn takes long, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let hook: PromiseWithResolvers<undefined>;
  let hookCalled: PromiseWithResolvers<undefined>;

  beforeEach(async () => {
    hook = withResolvers();
    hookCalled = withResolvers();
    world = await TestWorld.create();
    site = await world.start({
      platform,
      module: {
        onSignIn: async () => {
          hookCalled.resolve(undefined);
          await hook.promise;
        },
      },
    });
  });
  afterEach(async () => {
    jest.useRealTimers();
    await world.close();
  });

  async function untilCallback(visitor: Visitor): Promise<string> {
    const visit = await visitor.open(`${site.url}/hello`, {
      follow: (location) => !location.includes('/wechat/callback'),
    });
    return visit.headers['location'] ?? '';
  }

  const stay = { follow: (): boolean => false };

  it('is given up after half a minute without a sign of life, and its browser starts anew', async () => {
    const visitor = new Visitor();
    const first = visitor.open(await untilCallback(visitor), stay);
    await hookCalled.promise;
    world.clock.advance(30_000);
    hook.resolve(undefined);
    const visit = await first;
    expect([visit.status, visit.body.includes('正在前往微信登录')]).toEqual([200, true]);
    expect((await visitor.press(visit)).url).toBe(`${site.url}/hello`);
  });

  it('stays claimed for as long as its process is at work', async () => {
    const visitor = new Visitor();
    const callback = await untilCallback(visitor);
    jest.useFakeTimers({ doNotFake: everythingBut('setInterval', 'clearInterval') });
    const first = visitor.open(callback, stay);
    await hookCalled.promise;
    for (let renewal = 0; renewal < 3; renewal++) {
      world.clock.advance(20_000);
      const until = world.clock.now().getTime() + 30_000;
      jest.advanceTimersByTime(10_000);
      // The renewal is on its way to the database.
      for (let look = 0; look < 100 && (await leaseExpiresAt()) < until; look++);
      expect(await leaseExpiresAt()).toBeGreaterThanOrEqual(until);
    }
    hook.resolve(undefined);
    expect((await first).status).toBe(303);
  });

  async function leaseExpiresAt(): Promise<number> {
    const rows = await world.query<{ lease_expires_at: Date }>('SELECT lease_expires_at FROM wechat_sign_in');
    return rows[0]?.lease_expires_at.getTime() ?? 0;
  }
});

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type WechatSession, WechatSessionStore } from '../../src/index.js';
import { TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

/** As written in JavaScript, on a library that has null for nothing. */
class NullStore extends WechatSessionStore {
  private session: WechatSession | null = null;

  constructor(private readonly answer: (session: WechatSession | null) => unknown) {
    super();
  }

  read(): WechatSession | undefined {
    return this.answer(this.session) as WechatSession | undefined;
  }
  write(_: unknown, session: WechatSession): void {
    this.session = session;
  }
  clear(): void {
    this.session = null;
  }
}

describe('a session store of the host’s that reads null where there is no session', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await TestWorld.create();
  });
  afterAll(() => world.close());

  it.each<[string, (session: WechatSession | null) => unknown]>([
    ['at once', (session) => session],
    ['in a promise', (session) => Promise.resolve(session)],
  ])('signs users in, reading %s', async (_, answer) => {
    const site = await world.start({ module: { session: { store: new NullStore(answer) } } });
    expect(await new Visitor().fetch(`${site.url}/hello`)).toMatchObject({ status: 401 });
    const visit = await new Visitor().open(`${site.url}/hello`);
    expect([visit.status, visit.body.includes('openid')]).toEqual([200, true]);
  });
});

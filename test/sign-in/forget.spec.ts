import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { WechatAuthService, type WechatUser } from '../../src/index.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { copyCookies, isInvitation, poll, stay, untilCallback } from './sign-out.harness.js';

/** Stands where `EventEmitterModule` of @nestjs/event-emitter would. */
class EventEmitter2 {
  static readonly told: [name: string, payload: unknown][] = [];

  emit(name: string, payload: unknown): void {
    EventEmitter2.told.push([name, payload]);
  }
}

@Module({ providers: [EventEmitter2] })
class EventEmitterModule {}

describe.each(PLATFORMS)('a user who is forgotten, with two instances, on %s', (platform) => {
  let world: TestWorld;
  let one: TestInstance;
  /** Behind the same public URL. */
  let two: TestInstance;
  let visitor: Visitor;
  let user: WechatUser;
  /** What `onSignIn` was told, one for each call. */
  const areNew: boolean[] = [];
  let duringSignIn: (user: WechatUser) => Promise<void> = () => Promise.resolve();

  beforeAll(async () => {
    world = await TestWorld.create();
    one = await world.start({
      platform,
      imports: [EventEmitterModule],
      module: {
        onSignIn: async (signingIn, { isNewGrant }) => {
          areNew.push(isNewGrant);
          await duringSignIn(signingIn);
        },
      },
    });
    two = await world.start({ platform, module: { publicUrl: one.url } });
  });
  beforeEach(async () => {
    await world.reset();
    visitor = new Visitor();
    user = await signIn(visitor);
    areNew.length = 0;
    EventEmitter2.told.length = 0;
  });
  afterAll(() => world.close());

  async function signIn(somebody: Visitor): Promise<WechatUser> {
    const { body } = await somebody.answerConsent(
      await somebody.press(await somebody.open(`${one.url}/me`)),
      'allow',
    );
    return JSON.parse(body) as WechatUser;
  }

  async function statusAt({ url }: TestInstance, from = visitor): Promise<number> {
    return (await from.fetch(`${url}/hello`)).status;
  }

  function serviceOf({ app }: TestInstance): WechatAuthService {
    return app.get(WechatAuthService, { strict: false });
  }

  /** In how many rows of how many tables the openid, or what was sealed for it, is still to be found. */
  async function traces(): Promise<string[]> {
    const found: string[] = [];
    const tables = await world.query<{ name: string }>(
      `SELECT tablename AS name FROM pg_tables WHERE tablename LIKE 'wechat_%'`,
    );
    for (const { name } of tables) {
      const rows = await world.query<{ text: string }>(`SELECT t::text AS text FROM ${name} AS t`);
      if (rows.some(({ text }) => text.includes(user.openid))) found.push(name);
    }
    const [outcomes] = await world.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM wechat_sign_in WHERE sealed_outcome IS NOT NULL',
    );
    return outcomes?.count === 0 ? found : [...found, 'outcomes'];
  }

  it('is nowhere to be found any more', async () => {
    expect(await traces()).toEqual(expect.arrayContaining(['wechat_grant', 'wechat_sign_in', 'outcomes']));
    await serviceOf(one).forget(user);
    expect(await traces()).toEqual([]);
    expect(EventEmitter2.told).toEqual([['wechat.forgotten', { appId: user.appId, openid: user.openid }]]);
  });

  it('is out in every browser, here at once, and on the other instance after its next look', async () => {
    const phone = new Visitor();
    await phone.open(`${one.url}/hello`);
    await serviceOf(one).forget({ openid: user.openid });
    for (const browser of [visitor, phone]) {
      expect(await statusAt(one, browser)).toBe(401);
      expect(await statusAt(two, browser)).toBe(200);
    }
    await poll(two);
    for (const browser of [visitor, phone]) expect(await statusAt(two, browser)).toBe(401);
  });

  it('leaves others as they are', async () => {
    const [, second] = world.wechat.users;
    await world.wechat.signInAs(second?.openid ?? '');
    const other = new Visitor();
    await other.open(`${one.url}/hello`);
    await serviceOf(one).forget(user);
    await poll(two);
    expect(await statusAt(one, other)).toBe(200);
    expect(await statusAt(two, other)).toBe(200);
    expect(await world.query('SELECT openid FROM wechat_grant')).toEqual([{ openid: second?.openid }]);
  });

  it('is not stored again by a page that is still open, but only by who presses a button', async () => {
    await serviceOf(one).forget(user);
    const page = await visitor.open(`${one.url}/hello`);
    expect(isInvitation(page)).toBe(true);
    expect(await traces()).toEqual([]);

    expect((await visitor.press(page)).status).toBe(200);
    expect(areNew).toEqual([true]);
    await poll(one);
    await poll(two);
    expect(await statusAt(one)).toBe(200);
    expect(await statusAt(two)).toBe(200);
    // Nothing of the consent before has been kept.
    expect(await world.query('SELECT consented_at, sealed_user_info FROM wechat_grant')).toEqual([
      { consented_at: null, sealed_user_info: null },
    ]);
  });

  it('is signed in by no callback from before', async () => {
    const phone = new Visitor();
    const callback = (await phone.open(`${one.url}/hello`, untilCallback)).headers['location'] ?? '';
    await phone.open(callback, stay);
    const copy = copyCookies(phone, new Visitor(), one.url);
    await serviceOf(one).forget(user);
    for (const instance of [one, two]) {
      const again = await copy.open(callback.replace(one.url, instance.url), stay);
      expect(again.status).not.toBe(303);
      expect(again.setCookies.join()).not.toContain('wechat_session_');
    }
  });

  it('is forgotten again without an error, known or not', async () => {
    await serviceOf(one).forget(user);
    await serviceOf(two).forget(user);
    await serviceOf(one).forget({ openid: 'o-nobody-has-ever-seen' });
    await serviceOf(one).forget({ ...user, openid: 'o-of-a-snapshot-page', snapshot: true });
    expect(await traces()).toEqual([]);
    await expect(serviceOf(one).forget({ ...user, appId: 'wxffffffffffffffff' })).rejects.toMatchObject({
      code: 'unknown_app_id',
    });
  });

  it('is let be by what is no openid, such as what a query or a body from outside may hold', async () => {
    const before = await world.query('SELECT * FROM wechat_grant');
    for (const openid of [{}, { x: '1' }, [], undefined, null, '', 'o\0', 'o'.repeat(129)]) {
      const key = { openid } as unknown as WechatUser;
      const refusal = { code: 'invalid_openid' };
      await expect(serviceOf(one).forget(key)).rejects.toMatchObject(refusal);
      await expect(serviceOf(one).requireConsent(key)).rejects.toMatchObject(refusal);
      await expect(serviceOf(one).getAccessToken(key)).rejects.toMatchObject(refusal);
      await expect(serviceOf(one).getUserInfo(key)).rejects.toMatchObject(refusal);
    }
    expect(await world.query('SELECT * FROM wechat_grant')).toEqual(before);
    expect(EventEmitter2.told).toEqual([]);
  });

  it('is kept whole where the database fails half way', async () => {
    const before = await world.query('SELECT * FROM wechat_grant');
    await world.query('ALTER TABLE wechat_sign_in RENAME TO out_of_reach');
    try {
      await expect(serviceOf(one).forget(user)).rejects.toThrow('wechat_sign_in');
    } finally {
      await world.query('ALTER TABLE out_of_reach RENAME TO wechat_sign_in');
    }
    expect(await world.query('SELECT * FROM wechat_grant')).toEqual(before);
    expect(await statusAt(one)).toBe(200);
    await poll(one);
    expect(await statusAt(one)).toBe(200);
    expect(EventEmitter2.told).toEqual([]);
  });

  it('gets no session from a sign-in that was under way, but by a new one', async () => {
    let calls = 0;
    duringSignIn = async (signingIn) => {
      if (++calls === 1) await serviceOf(two).forget(signingIn);
    };
    try {
      const phone = new Visitor();
      const visit = await phone.open(`${one.url}/hello`);
      expect([visit.status, visit.body.includes('正在前往微信登录')]).toEqual([200, true]);
      expect(await traces()).toEqual([]);
      expect((await phone.press(visit)).url).toBe(`${one.url}/hello`);
      expect(areNew).toEqual([false, true]);
    } finally {
      duringSignIn = () => Promise.resolve();
    }
  });
});

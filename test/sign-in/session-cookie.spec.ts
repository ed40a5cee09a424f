import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import { Revocations } from '../../src/grants/revocations.js';
import { CurrentWechatUser, WechatAuth, WechatAuthService, type WechatUser } from '../../src/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A host that writes its own words into what it was given. */
@Controller()
class MessyController {
  @Get('messy')
  @WechatAuth('userinfo')
  messy(@CurrentWechatUser() user: WechatUser): WechatUser {
    const seen = structuredClone(user);
    user.openid = 'changed';
    if (user.userInfo) {
      user.userInfo.nickname = 'changed';
      user.userInfo.privilege.push('changed');
    }
    return seen;
  }
}

/** A session that was seen before is not opened again; nothing else may be different for it. */
describe('a session cookie that comes again and again', () => {
  let world: TestWorld;
  let site: TestInstance;
  let visitor: Visitor;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ controllers: [MessyController] });
  });
  afterAll(() => world.close());

  /** Somebody who is signed in with consent, and known to the instance. */
  beforeEach(async () => {
    await world.reset();
    visitor = await signedIn();
    expect(await statusOf('hello')).toBe(200);
    expect(await statusOf('me')).toBe(200);
  });

  async function signedIn(): Promise<Visitor> {
    const somebody = new Visitor();
    const explained = await somebody.open(`${site.url}/me`);
    await somebody.answerConsent(await somebody.press(explained), 'allow');
    return somebody;
  }

  async function statusOf(path: string, from = visitor): Promise<number> {
    return (await from.fetch(`${site.url}/${path}`)).status;
  }

  async function userAt(path: string, from = visitor): Promise<WechatUser> {
    const { status, body } = await from.fetch(`${site.url}/${path}`);
    expect(status).toBe(200);
    return JSON.parse(body) as WechatUser;
  }

  function sessionCookie(): [name: string, value: string] {
    return [...visitor.cookies(site.url)].find(([name]) => name.includes('wechat_session'))!;
  }

  it('lets nobody in from the instant at which the session ends', async () => {
    world.clock.advance(30 * DAY_MS - 60_000);
    expect(await statusOf('hello')).toBe(200);
    world.clock.advance(60_000);
    expect(await statusOf('hello')).toBe(401);
    expect(await statusOf('hello')).toBe(401);
  });

  it('lets nobody in who has changed a character of it, at whatever place', async () => {
    const [name, value] = sessionCookie();
    for (const place of [0, 20, value.length / 2, value.length - 1].map(Math.floor)) {
      const stranger = new Visitor();
      const other = value[place] === 'A' ? 'B' : 'A';
      stranger.cookies(site.url).set(name, value.slice(0, place) + other + value.slice(place + 1));
      expect(await statusOf('hello', stranger)).toBe(401);
    }
    expect(await statusOf('hello')).toBe(200);
  });

  it('is found among many cookies of the host', async () => {
    const [name, value] = sessionCookie();
    const stranger = new Visitor();
    stranger.cookies(site.url).set('theme', 'dark');
    stranger.cookies(site.url).set(name, value);
    stranger.cookies(site.url).set('basket', randomBytes(3_000).toString('base64url'));
    expect(await statusOf('hello', stranger)).toBe(200);
  });

  it('is as good on an instance that has never seen it', async () => {
    const [name, value] = sessionCookie();
    const other = await world.start({ module: { publicUrl: site.url } });
    const elsewhere = new Visitor();
    elsewhere.cookies(other.url).set(name, value);
    expect((await elsewhere.fetch(`${other.url}/hello`)).status).toBe(200);
  });

  it('lasts no longer than the setting says today, though it was issued for longer', async () => {
    const module = { publicUrl: site.url, session: { maxAgeMs: DAY_MS } };
    const [name, value] = sessionCookie();
    const lowered = await world.start({ module });
    const elsewhere = new Visitor();
    elsewhere.cookies(lowered.url).set(name, value);
    const statusAt = async ({ url }: TestInstance): Promise<number> =>
      (await elsewhere.fetch(`${url}/hello`)).status;
    expect(await statusAt(lowered)).toBe(200);

    // Of whom nothing is known any more once the longest session of today would be over.
    await lowered.app.get(WechatAuthService, { strict: false }).forget({
      openid: world.wechat.users[0]?.openid ?? '',
    });
    world.clock.advance(DAY_MS);
    const started = await world.start({ module });
    expect(started.app.get(Revocations, { strict: false }).size).toBe(0);
    expect(await statusAt(started)).toBe(401);
    expect((await elsewhere.open(`${started.url}/hello`, { follow: () => false })).status).toBe(302);
  });

  it('opens no door of another public URL of the same instance', async () => {
    const both = await world.start({ module: { publicUrl: 'http://localhost:1001,http://localhost:1002' } });
    const first = new Visitor({ host: 'localhost:1001' });
    const second = new Visitor({ host: 'localhost:1002' });
    const leaving = await first.open(`${both.url}/hello`, {
      follow: (location) => !location.startsWith('http://localhost:1001/'),
    });
    const callback = leaving.headers['location']!.replace('http://localhost:1001', both.url);
    await first.open(callback, { follow: () => false });
    expect((await first.fetch(`${both.url}/hello`)).status).toBe(200);

    // Under the name that is read there, which the browser would not send.
    const [, value] = [...first.cookies(both.url)].find(([name]) => name.includes('wechat_session'))!;
    const atSecond = await second.open(`${both.url}/hello`, { follow: () => false });
    const [browserCookie = ''] = atSecond.setCookies[0]!.split('=');
    second.cookies(both.url).set(browserCookie.replace('wechat_browser', 'wechat_session'), value);
    expect((await second.fetch(`${both.url}/hello`)).status).toBe(401);
  });

  it('shows the user as it is stored, whatever a handler did to an earlier copy', async () => {
    const before = await userAt('me');
    expect(await userAt('messy')).toEqual(before);
    expect(await userAt('messy')).toEqual(before);
    expect(await userAt('me')).toEqual(before);
    expect((await userAt('hello')).openid).toBe(before.openid);
  });

  it('brings nothing that the row does not say any more', async () => {
    await world.query(`UPDATE wechat_grant SET consent_expires_at = $1`, [world.clock.now()]);
    expect(await statusOf('me')).toBe(401);
    expect(await statusOf('hello')).toBe(200);
    await world.query('DELETE FROM wechat_grant');
    expect(await statusOf('me')).toBe(401);
  });

  it('shows no profile that was moved to the row from that of somebody else', async () => {
    const [other] = world.wechat.users.slice(1);
    await world.wechat.signInAs(other!.openid);
    const somebody = await signedIn();
    const theirs = await userAt('me', somebody);
    const mine = await userAt('me');
    expect(theirs.openid).not.toBe(mine.openid);

    await world.query(
      `UPDATE wechat_grant SET sealed_user_info = (SELECT sealed_user_info FROM wechat_grant WHERE openid = $1) WHERE openid = $2`,
      [theirs.openid, mine.openid],
    );
    // It does not open, so it is brought from WeChat anew.
    expect((await userAt('me')).userInfo).toEqual(mine.userInfo);
  });
});

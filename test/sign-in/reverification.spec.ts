import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { WechatUser } from '../../src/index.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';
import { signOut, stay } from './sign-out.harness.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const WECHAT =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.22(0x18001626) NetType/WIFI Language/zh_CN';
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 15_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.5 Mobile/15E148 Safari/604.1';

describe.each(PLATFORMS)('a session that is a day old, inside WeChat, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let phone: Visitor;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform });
  });
  beforeEach(async () => {
    await world.reset();
    phone = new Visitor({ 'user-agent': WECHAT });
  });
  afterAll(() => world.close());

  async function consent(visitor = phone, { url } = site): Promise<Visit> {
    return visitor.answerConsent(await visitor.press(await visitor.open(`${url}/me`)), 'allow');
  }

  /** What was asked for at WeChat on the way. */
  function askedFor({ trail }: Visit): string[] {
    return trail.flatMap((url) => /authorize\?.*scope=(snsapi_\w+)/.exec(url)?.[1] ?? []);
  }

  function openidOf(visit: Visit): string {
    expect(visit.status).toBe(200);
    return (JSON.parse(visit.body) as WechatUser).openid;
  }

  /** Somebody else's WeChat is on the phone from here on. */
  async function handOver(): Promise<string> {
    const openid = world.wechat.users[1]?.openid ?? '';
    await world.wechat.signInAs(openid);
    return openid;
  }

  function cookieOf(visitor: Visitor, name: string): string | undefined {
    return [...visitor.cookies(site.url)].find(([key]) => key.includes(name))?.[0];
  }

  it('is renewed silently on the next page, and not before, nor once more', async () => {
    await phone.open(`${site.url}/hello`);
    world.clock.advance(DAY_MS - MINUTE_MS);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual([]);
    world.clock.advance(MINUTE_MS);
    const visit = await phone.open(`${site.url}/hello?tab=1`);
    expect(askedFor(visit)).toEqual(['snsapi_base']);
    expect([visit.status, visit.url]).toEqual([200, `${site.url}/hello?tab=1`]);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual([]);
    world.clock.advance(DAY_MS);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual(['snsapi_base']);
  });

  it.each(['hello', 'me'])(
    'is renewed on /%s with the consent where there is one, so that the tokens go on reading the profile',
    async (path) => {
      await consent();
      world.clock.advance(DAY_MS);
      const visit = await phone.open(`${site.url}/${path}`);
      expect(askedFor(visit)).toEqual(['snsapi_userinfo']);
      expect([visit.status, visit.url]).toEqual([200, `${site.url}/${path}`]);
      expect(await world.query('SELECT pair_ability FROM wechat_grant')).toEqual([{ pair_ability: 'able' }]);
      expect(askedFor(await phone.open(`${site.url}/${path}`))).toEqual([]);
    },
  );

  it('is renewed by base where WeChat has refused the profile to the pair, as the consent may have been taken back', async () => {
    await consent();
    await world.query(`UPDATE wechat_grant SET pair_scope = 'base', pair_ability = 'unable'`);
    world.clock.advance(DAY_MS);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual(['snsapi_base']);
  });

  it('becomes that of whoever has the phone by now', async () => {
    const before = openidOf(await phone.open(`${site.url}/hello`));
    const other = await handOver();
    expect(openidOf(await phone.open(`${site.url}/hello`))).toBe(before);
    world.clock.advance(DAY_MS);
    expect(openidOf(await phone.open(`${site.url}/hello`))).toBe(other);
    expect((await phone.fetch(`${site.url}/hello`)).body).toContain(other);
  });

  it('stays where whoever has the phone refuses, and is looked at silently a day later', async () => {
    const before = openidOf(await consent());
    const other = await handOver();
    world.clock.advance(DAY_MS);
    const refused = await phone.answerConsent(await phone.open(`${site.url}/hello`), 'refuse');
    expect([refused.url, openidOf(refused)]).toEqual([`${site.url}/hello`, before]);
    expect(askedFor(await phone.open(`${site.url}/me`))).toEqual([]);
    world.clock.advance(DAY_MS - MINUTE_MS);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual([]);
    world.clock.advance(MINUTE_MS);
    const visit = await phone.open(`${site.url}/hello`);
    expect([askedFor(visit), openidOf(visit)]).toEqual([['snsapi_base'], other]);
  });

  it.each([
    ['WeChat fails', -1],
    ['the account is misconfigured', 40125],
    ['WeChat does not know the code', 40029],
  ])('stays where %s, and is tried again a day later', async (_, errcode) => {
    const before = openidOf(await consent());
    world.clock.advance(DAY_MS);
    await world.wechat.failNext('token', { errcode });
    const visit = await phone.open(`${site.url}/me`);
    expect([visit.url, openidOf(visit), askedFor(visit).length]).toEqual([`${site.url}/me`, before, 1]);
    expect(askedFor(await phone.open(`${site.url}/me`))).toEqual([]);
    world.clock.advance(DAY_MS);
    expect(askedFor(await phone.open(`${site.url}/me`))).toEqual(['snsapi_base']);
  });

  it('stays where nobody comes back from WeChat, and is tried again a day later', async () => {
    await consent();
    world.clock.advance(DAY_MS);
    const left = await phone.open(`${site.url}/hello`, stay);
    expect(left.headers['location']).toContain('snsapi_userinfo');
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual([]);
    world.clock.advance(DAY_MS);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual(['snsapi_base']);
    // That has worked, so a day later it is as at first.
    world.clock.advance(DAY_MS);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual(['snsapi_userinfo']);
  });

  it('is not replaced by the virtual user of a snapshot page', async () => {
    const before = openidOf(await consent());
    await world.wechat.user(before).snapshot(true);
    world.clock.advance(DAY_MS);
    const visit = await phone.open(`${site.url}/hello`);
    expect([askedFor(visit), openidOf(visit)]).toEqual([['snsapi_userinfo'], before]);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual([]);
  });

  it('is not asked for a consent twice, where that ends soon and was refused', async () => {
    const before = openidOf(await consent());
    await world.query(`UPDATE wechat_grant SET consent_notice = 'due'`);
    await handOver();
    world.clock.advance(DAY_MS);
    const refused = await phone.answerConsent(await phone.open(`${site.url}/me`), 'refuse');
    expect([refused.url, openidOf(refused)]).toEqual([`${site.url}/me`, before]);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual([]);
  });

  it('is found out about by base on a base page, where the consent ends soon', async () => {
    await consent();
    await world.query(`UPDATE wechat_grant SET consent_notice = 'due'`);
    world.clock.advance(DAY_MS);
    expect(askedFor(await phone.open(`${site.url}/hello`))).toEqual(['snsapi_base']);
  });

  it.each<[string, (visitor: Visitor) => Promise<Visit>]>([
    ['a script', (visitor) => visitor.fetch(`${site.url}/hello`)],
    [
      'a script that asks for HTML',
      (visitor) =>
        visitor.open(`${site.url}/hello`, {
          headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
        }),
    ],
    ['a frame', (visitor) => visitor.open(`${site.url}/hello`, { headers: { 'sec-fetch-dest': 'iframe' } })],
    ['a prefetch', (visitor) => visitor.open(`${site.url}/hello`, { headers: { purpose: 'prefetch' } })],
    ['a form', (visitor) => visitor.fetch(`${site.url}/orders`, { method: 'POST' })],
    ['an optional route', (visitor) => visitor.open(`${site.url}/maybe`)],
    ['an open route', (visitor) => visitor.open(`${site.url}/public`)],
    [
      'a page whose address is too long to come back to',
      (visitor) => visitor.open(`${site.url}/hello?${'x'.repeat(1_100)}`),
    ],
    [
      'another browser',
      (visitor) => visitor.open(`${site.url}/hello`, { headers: { 'user-agent': SAFARI } }),
    ],
    [
      'WeCom',
      (visitor) =>
        visitor.open(`${site.url}/hello`, { headers: { 'user-agent': `${WECHAT} wxwork/4.1.36` } }),
    ],
  ])('is left as it is for %s', async (_, request) => {
    await consent();
    world.clock.advance(DAY_MS);
    const visit = await request(phone);
    expect([200, 201]).toContain(visit.status);
    expect(visit.trail).toHaveLength(1);
    expect(visit.setCookies).toEqual([]);
  });

  /** Again and again with the cookies of before, as if none were kept that came since. */
  async function forgetful(rounds: number): Promise<Visit[]> {
    const kept = [...phone.cookies(site.url)];
    const visits: Visit[] = [];
    for (let round = 0; round < rounds; round++) {
      phone.cookies(site.url).clear();
      for (const [name, value] of kept) phone.cookies(site.url).set(name, value);
      const left = await phone.open(`${site.url}/hello`, stay);
      for (const [name, value] of kept) phone.cookies(site.url).set(name, value);
      phone.cookies(site.url).delete(cookieOf(phone, 'wechat_reverification') ?? '');
      visits.push(
        await phone.open(left.headers['location'] ?? '', { follow: (to) => to.includes('/callback') }),
      );
    }
    return visits;
  }

  it('ends in a page, and in no circle, where the browser keeps no cookie any more', async () => {
    await phone.open(`${site.url}/hello`);
    world.clock.advance(DAY_MS);
    const visits = await forgetful(3);
    expect(visits.map(({ status }) => status)).toEqual([303, 303, 403]);
    expect(visits[2]?.body).toContain('登录未能完成');
  });

  it('ends in a page, and in no circle, where the browser keeps no cookie any more and WeChat fails', async () => {
    await phone.open(`${site.url}/hello`);
    world.clock.advance(DAY_MS);
    await world.wechat.failNext('token', { errcode: -1 });
    const [visit] = await forgetful(1);
    expect([visit?.status, visit?.body.includes('暂时无法登录')]).toEqual([503, true]);
  });

  it('is none of which the user has signed out', async () => {
    await phone.open(`${site.url}/hello`);
    world.clock.advance(DAY_MS);
    await signOut(phone, site);
    expect((await phone.open(`${site.url}/hello`)).status).toBe(403);
  });

  it('is what the host says, and never where the host does not want it', async () => {
    const hourly = await world.start({ platform, module: { session: { reverifyAfterMs: 60 * MINUTE_MS } } });
    const never = await world.start({ platform, module: { session: { reverifyAfterMs: false } } });
    const other = new Visitor({ 'user-agent': WECHAT });
    await phone.open(`${hourly.url}/hello`);
    await other.open(`${never.url}/hello`);
    world.clock.advance(60 * MINUTE_MS);
    expect(askedFor(await phone.open(`${hourly.url}/hello`))).toEqual(['snsapi_base']);
    world.clock.advance(60 * MINUTE_MS);
    expect(askedFor(await phone.open(`${hourly.url}/hello`))).toEqual(['snsapi_base']);
    world.clock.advance(29 * DAY_MS);
    expect(askedFor(await other.open(`${never.url}/hello`))).toEqual([]);
  });
});

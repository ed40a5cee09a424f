import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WechatUser } from '../../src/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

describe.each([
  ['where WeChat lets silently issued tokens read it', true],
  ['where WeChat does not', false],
] as const)('a profile that is sealed with a key nobody has any more, %s', (_, grantMemory) => {
  let world: TestWorld;
  let site: TestInstance;
  let visitor: Visitor;

  beforeEach(async () => {
    world = await TestWorld.create({ grantMemory });
    // Both start on an empty table: an instance without the key of stored tokens would not.
    const before = await world.start();
    site = await world.start({ module: { keys: `k2:${randomBytes(32).toString('base64')}` } });
    const first = new Visitor();
    await first.answerConsent(await first.press(await first.open(`${before.url}/me`)), 'allow');
    visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    // That silent sign-in replaced the tokens; the profile is still sealed with the old key.
  });
  afterEach(() => world.close());

  it('lets scripts and optional routes go on, with the profile fetched anew where that is possible', async () => {
    for (const path of ['/me', '/maybe']) {
      const visit = await visitor.fetch(site.url + path);
      expect([visit.status, visit.body.includes('nickname')]).toEqual([200, grantMemory]);
    }
  });

  it('is sealed anew when the user opens a page, and nobody is asked', async () => {
    const visit = await visitor.open(`${site.url}/me`);
    expect([visit.status, visit.url]).toEqual([200, `${site.url}/me`]);
    const user = JSON.parse(visit.body) as WechatUser;
    expect(user.userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
    const again = await visitor.open(`${site.url}/me`);
    expect(again.trail).toEqual([`${site.url}/me`]);
  });

  it('stays owed, without a circle, while WeChat fails to give it', async () => {
    await world.wechat.failNext('userinfo', { status: 500 }, { times: 5 });
    const visit = await visitor.open(`${site.url}/me`);
    expect([visit.status, visit.url, visit.body.includes('nickname')]).toEqual([
      200,
      `${site.url}/me`,
      false,
    ]);
  });
});

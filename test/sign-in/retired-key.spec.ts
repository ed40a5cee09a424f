import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { WechatUser } from '../../src/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

describe('a grant that is sealed with a key nobody has any more', () => {
  let world: TestWorld;
  let site: TestInstance;
  let visitor: Visitor;

  beforeEach(async () => {
    world = await TestWorld.create();
    const before = await world.start();
    const first = new Visitor();
    await first.answerConsent(await first.press(await first.open(`${before.url}/me`)), 'allow');
    site = await world.start({ module: { keys: `k2:${randomBytes(32).toString('base64')}` } });
    visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    // That silent sign-in replaced the tokens; the profile is still sealed with the old key.
  });
  afterEach(() => world.close());

  it('lets scripts and optional routes go on without the profile', async () => {
    for (const path of ['/me', '/maybe']) {
      const visit = await visitor.fetch(site.url + path);
      expect([visit.status, visit.body.includes('nickname')]).toEqual([200, false]);
    }
  });

  it('is sealed anew, silently, when the user opens a page', async () => {
    const visit = await visitor.open(`${site.url}/me`);
    expect(visit.status).toBe(200);
    const user = JSON.parse(visit.body) as WechatUser;
    expect(user.userInfo?.nickname).toBe(world.wechat.users[0]?.nickname);
    expect(visit.trail.some((address) => address.includes('scope=snsapi_userinfo'))).toBe(true);
  });
});

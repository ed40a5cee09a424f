import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

describe.each(PLATFORMS)('signing in, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform });
  });
  afterAll(() => world.close());

  it('signs a visitor of a base page in without asking anything', async () => {
    const visit = await new Visitor().open(`${site.url}/hello?from=poster`);
    expect(visit.status).toBe(200);
    expect(visit.url).toBe(`${site.url}/hello?from=poster`);
    expect(JSON.parse(visit.body)).toEqual({
      appId: world.wechat.apps[0]?.appId,
      openid: world.wechat.users[0]?.openid,
      scope: 'base',
      snapshot: false,
    });
  });

  it('explains, then asks for consent, then shows the profile', async () => {
    const visitor = new Visitor();
    const explained = await visitor.open(`${site.url}/me`);
    expect(explained.status).toBe(200);
    expect(new URL(explained.url).pathname).toBe('/wechat/consent');
    const asked = await visitor.press(explained);
    expect(new URL(asked.url).origin).toBe(world.wechat.url);
    const visit = await visitor.answerConsent(asked, 'allow');
    expect(visit.url).toBe(`${site.url}/me`);
    expect(JSON.parse(visit.body)).toMatchObject({
      scope: 'userinfo',
      userInfo: { nickname: world.wechat.users[0]?.nickname },
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signInWechatUser } from '../../src/testing/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

const APPS = ['wx00000000000000aa', 'wx00000000000000bb'].map((appId) => ({
  appId,
  appSecret: `secret-of-${appId}`,
  redirectDomains: ['127.0.0.1'],
}));

describe.each(['express', 'fastify'] as const)('signing users in, on %s,', (platform) => {
  let world: TestWorld;

  beforeAll(async () => {
    world = await TestWorld.create({ apps: APPS });
  });
  afterAll(() => world.close());

  async function statusOf(site: TestInstance, cookie: string, host?: string): Promise<number> {
    const headers = { cookie, ...(host !== undefined && { host }) };
    const visitor = new Visitor(headers);
    const call = await visitor.fetch(`${site.url}/hello`);
    const page = await visitor.open(`${site.url}/hello`, { follow: () => false });
    expect(page.status).toBe(call.status === 401 ? 302 : call.status);
    return call.status;
  }

  it('goes to the first of several accounts, or to the one that is named', async () => {
    const site = await world.start({ platform, module: { accounts: APPS } });
    const first = await signInWechatUser(site.app);
    const second = await signInWechatUser(site.app, { appId: APPS[1]!.appId });
    expect([first.user.appId, second.user.appId]).toEqual(APPS.map(({ appId }) => appId));
    expect(second.cookies[0]?.name).not.toBe(first.cookies[0]?.name);
    // The page asks for the first account.
    expect(await statusOf(site, first.cookie)).toBe(200);
    expect(await statusOf(site, second.cookie)).toBe(401);
    expect(await statusOf(site, `${second.cookie}; ${first.cookie}`)).toBe(200);
  });

  it('holds for one application, also where two run in one process on one database', async () => {
    const sites = [await world.start({ platform }), await world.start({ platform })];
    const [first, second] = await Promise.all(sites.map(({ app }) => signInWechatUser(app)));
    expect(await statusOf(sites[0]!, first!.cookie)).toBe(200);
    expect(await statusOf(sites[1]!, second!.cookie)).toBe(200);
    expect(await statusOf(sites[0]!, second!.cookie)).toBe(401);
  });

  it('holds for one of several public URLs, by https with cookies for https', async () => {
    const site = await world.start({
      platform,
      module: { publicUrl: 'https://a.example.com, https://b.example.com:8443/shop' },
    });
    const first = await signInWechatUser(site.app);
    const second = await signInWechatUser(site.app, { publicUrl: 'https://b.example.com:8443' });
    expect(first.cookies).toEqual([
      {
        name: expect.stringMatching(/^__Host-wechat_session_[0-9a-f]{16}$/),
        value: expect.stringMatching(/^[\w-]+\.\.[\w-]+\.[\w-]+\.[\w-]+$/),
        domain: 'a.example.com',
        path: '/',
        httpOnly: true,
        secure: true,
        sameSite: 'Lax',
      },
    ]);
    expect(second.cookies).toMatchObject([{ domain: 'b.example.com', path: '/', secure: true }]);
    expect(first.cookie).toBe(`${first.cookies[0]!.name}=${first.cookies[0]!.value}`);
    expect(await statusOf(site, first.cookie, 'a.example.com')).toBe(200);
    expect(await statusOf(site, second.cookie, 'b.example.com:8443')).toBe(200);
    expect(await statusOf(site, first.cookie, 'b.example.com:8443')).toBe(401);
    const withPath = await signInWechatUser(site.app, { publicUrl: 'https://b.example.com:8443/shop/' });
    expect(await statusOf(site, withPath.cookie, 'b.example.com:8443')).toBe(200);
  });

  it('needs no WeChat that answers', async () => {
    const site = await world.start({
      platform,
      module: { apiBaseUrl: 'http://127.0.0.1:1', openBaseUrl: 'http://127.0.0.1:1' },
    });
    const { cookie, user } = await signInWechatUser(site.app, { scope: 'userinfo', userInfo: null });
    const page = await new Visitor({ cookie }).open(`${site.url}/me`);
    expect([page.status, JSON.parse(page.body)]).toEqual([200, user]);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { WechatEmulatorFault } from '../../src/emulator/index.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

describe.each(PLATFORMS)('when WeChat does not exchange the code as it should, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform, module: { requestTimeoutMs: 200 } });
  });
  afterEach(() => world.wechat.reset());
  afterAll(() => world.close());

  it.each<[string, WechatEmulatorFault, number, string]>([
    ['is busy', { errcode: -1, errmsg: 'system error' }, 503, '暂时无法登录'],
    [
      'counts too many calls',
      { errcode: 45011, errmsg: 'api minute-quota reach limit' },
      503,
      '暂时无法登录',
    ],
    ['answers HTTP 502', { status: 502 }, 503, '暂时无法登录'],
    ['hangs', { hang: true }, 503, '暂时无法登录'],
    ['cuts the connection', { cut: true }, 503, '暂时无法登录'],
    ['answers with a page', { body: '<html></html>', contentType: 'text/html' }, 503, '暂时无法登录'],
    ['answers with half a token', { body: '{"access_token":"a"}' }, 503, '暂时无法登录'],
    ['answers with nothing', { body: '' }, 503, '暂时无法登录'],
    ['answers with 5 MB', { body: 'x'.repeat(5_000_000) }, 503, '暂时无法登录'],
    [
      'answers with bytes that are no text',
      { body: new Uint8Array([0xff, 0xfe, 0, 1]) },
      503,
      '暂时无法登录',
    ],
    ['has never seen such a code of its own', { errcode: 123456, errmsg: 'new' }, 503, '暂时无法登录'],
    ['knows another secret', { errcode: 40125, errmsg: 'invalid appsecret' }, 500, '登录设置有误'],
    ['does not know the app id', { errcode: 40013, errmsg: 'invalid appid' }, 500, '登录设置有误'],
    ['gives the account no permission', { errcode: 48001, errmsg: 'api unauthorized' }, 500, '登录设置有误'],
    ['bars the user', { errcode: 50002, errmsg: 'user limited' }, 403, '无法登录'],
  ])('shows a page if it %s, and the next sign-in works', async (_what, fault, status, title) => {
    await world.wechat.failNext('token', fault);
    const visitor = new Visitor();
    const visit = await visitor.open(`${site.url}/hello?x=1`);
    expect(visit.status).toBe(status);
    expect(visit.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(visit.body).toContain(`<h1>${title}`);
    expect(visit.body).not.toContain(world.wechat.apps[0]?.appSecret);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
    const again = status === 403 ? await visitor.open(`${site.url}/hello?x=1`) : await visitor.press(visit);
    expect([again.status, again.url]).toEqual([200, `${site.url}/hello?x=1`]);
  });

  it('starts anew, with a new code, when the page of a failed sign-in is reloaded', async () => {
    await world.wechat.failNext('token', { errcode: -1 });
    const visitor = new Visitor();
    const failed = await visitor.open(`${site.url}/hello`);
    expect(failed.url).toContain('/wechat/callback?');
    const reloaded = await visitor.open(failed.url);
    const visit = await visitor.press(reloaded);
    expect(visit.url).toBe(`${site.url}/hello`);
    const codes = world.wechat.requests
      .filter(({ endpoint }) => endpoint === 'token')
      .map(({ query }) => query['code']);
    expect(new Set(codes).size).toBe(2);
  });

  it('stops a browser that completes a third sign-in of one kind within a minute', async () => {
    const visitor = new Visitor();
    const signInUrl = `${site.url}/wechat/sign-in?return_to=/public`;
    await visitor.open(signInUrl);
    await visitor.open(signInUrl);
    const stopped = await visitor.open(signInUrl);
    expect([stopped.status, stopped.body.includes('登录未能完成')]).toEqual([403, true]);
    world.clock.advance(60_000);
    expect((await visitor.open(signInUrl)).url).toBe(`${site.url}/public`);
  });
});

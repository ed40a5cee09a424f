import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header, Next, UseGuards } from '@nestjs/common';
import {
  CurrentWechatUser,
  WechatAuth,
  WechatAuthGuard,
  WechatPublic,
  type WechatUser,
} from '../../src/index.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

@Controller('twice')
@WechatAuth('userinfo')
@UseGuards(WechatAuthGuard)
class GuardedTwiceController {
  @Get('base')
  @WechatAuth('base')
  base(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }

  @Get('cached')
  @Header('Cache-Control', 'private, max-age=60')
  @WechatAuth('base')
  cached(): string {
    return 'kept for a minute';
  }

  @Get('inherited')
  inherited(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }
}

@Controller('closed')
@WechatAuth()
class ClosedController {
  @Get()
  closed(): string {
    return 'for those who are known';
  }

  @Get('open')
  @WechatPublic()
  open(@CurrentWechatUser() user?: WechatUser): { user: WechatUser | null } {
    return { user: user ?? null };
  }

  @Get('both')
  @WechatPublic()
  @WechatAuth()
  both(): string {
    return 'for those who are known';
  }
}

@Controller('open')
@WechatPublic()
class OpenController {
  @Get()
  open(): string {
    return 'for everybody';
  }

  @Get('closed')
  @WechatAuth()
  closed(): string {
    return 'for those who are known';
  }
}

@Controller('relay')
class RelayController {
  @Get()
  @WechatAuth('base', { optional: true })
  count(@Next() next: () => void): void {
    next();
  }

  @Get()
  @WechatAuth('base')
  answer(@CurrentWechatUser() { openid }: WechatUser): { openid: string } {
    return { openid };
  }
}

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
describe.each(PLATFORMS)('a protected route, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      platform,
      controllers: [GuardedTwiceController, ClosedController, OpenController],
      module: { allowedOrigins: ['https://admin.example.com'] },
    });
  });
  afterEach(() => {
    // A new month: every consent has ended, and no browser is taken for one that goes in circles.
    world.clock.advance(31 * 24 * 60 * 60_000);
  });
  afterAll(() => world.close());

  async function signedIn(path = '/hello'): Promise<Visitor> {
    const visitor = new Visitor();
    const visit = await visitor.open(site.url + path);
    if (visit.url !== site.url + path) {
      await visitor.answerConsent(await visitor.press(visit), 'allow');
    }
    return visitor;
  }

  it.each<[string, Record<string, string>]>([
    ['says so in fetch metadata', NAVIGATION],
    ['is older and accepts HTML', { accept: 'text/html,*/*' }],
    ['is an Android web view', { accept: 'text/html', 'x-requested-with': 'com.tencent.mm' }],
  ])('sends a page navigation straight to WeChat if it %s', async (_what, headers) => {
    const visit = await new Visitor().fetch(`${site.url}/hello`, { headers });
    expect(visit.status).toBe(302);
    expect(visit.headers['location']).toMatch(
      /\/connect\/oauth2\/authorize\?appid=wx\w{16}&redirect_uri=[^&]+&response_type=code&scope=snsapi_base&state=[a-zA-Z0-9]{1,128}#wechat_redirect$/,
    );
    expect(visit.headers['cache-control']).toBe('no-store');
    expect(visit.headers['referrer-policy']).toBe('same-origin');
  });

  it.each<[string, Record<string, string>]>([
    ['fetch()', { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    ['an XMLHttpRequest of an old browser', { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' }],
    ['a client that accepts JSON', { accept: 'application/json' }],
    ['a frame', { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe', accept: 'text/html' }],
    ['a prefetch', { ...NAVIGATION, 'sec-purpose': 'prefetch;prerender' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
  ])('tells %s where to send the page instead', async (_what, headers) => {
    const visit = await new Visitor().fetch(`${site.url}/me`, { headers });
    const signInUrl = `${site.url}/wechat/sign-in?scope=userinfo`;
    expect(visit.status).toBe(401);
    expect(visit.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(visit.headers['www-authenticate']).toBe(
      `WeChat error="sign_in_required", sign_in_url="${signInUrl}"`,
    );
    expect(JSON.parse(visit.body)).toMatchObject({ status: 401, code: 'sign_in_required', signInUrl });
    expect(visit.setCookies).toEqual([]);
  });

  it('answers HEAD with 401 and starts nothing', async () => {
    const visit = await new Visitor().fetch(`${site.url}/hello`, { method: 'HEAD', headers: NAVIGATION });
    expect(visit.status).toBe(401);
    expect(visit.setCookies).toEqual([]);
  });

  it('asks a script whose user is known for the consent', async () => {
    const visitor = await signedIn();
    const visit = await visitor.fetch(`${site.url}/me`);
    expect(visit.status).toBe(401);
    expect(JSON.parse(visit.body)).toMatchObject({ code: 'consent_required' });
  });

  it('brings the page of a script back to where it was, once it followed signInUrl', async () => {
    const visitor = new Visitor();
    const { signInUrl } = JSON.parse((await visitor.fetch(`${site.url}/me`)).body) as { signInUrl: string };
    const explained = await visitor.open(`${signInUrl}&return_to=${encodeURIComponent('/public?tab=2#top')}`);
    expect(new URL(explained.url).pathname).toBe('/wechat/consent');
    const visit = await visitor.answerConsent(await visitor.press(explained), 'allow');
    expect(visit.url).toBe(`${site.url}/public?tab=2#top`);
    expect((await visitor.fetch(`${site.url}/me`)).status).toBe(200);
  });

  it('keeps an authenticated answer out of shared caches, unless the handler says otherwise', async () => {
    const visitor = await signedIn();
    expect((await visitor.fetch(`${site.url}/hello`)).headers['cache-control']).toBe('private, no-store');
    expect((await visitor.fetch(`${site.url}/twice/cached`)).headers['cache-control']).toBe(
      'private, max-age=60',
    );
    expect((await visitor.fetch(`${site.url}/public`)).headers['cache-control']).toBeUndefined();
  });

  it('never redirects an optional route, and tells it who is there', async () => {
    const visitor = new Visitor();
    const nobody = await visitor.open(`${site.url}/maybe`);
    expect([nobody.url, JSON.parse(nobody.body)]).toEqual([`${site.url}/maybe`, { user: null }]);
    await visitor.open(`${site.url}/hello`);
    const known = await visitor.open(`${site.url}/maybe`);
    expect(JSON.parse(known.body)).toMatchObject({ user: { scope: 'base' } });
    await visitor.answerConsent(await visitor.press(await visitor.open(`${site.url}/me`)), 'allow');
    const full = await visitor.open(`${site.url}/maybe`);
    expect(JSON.parse(full.body)).toMatchObject({ user: { scope: 'userinfo', userInfo: { sex: 0 } } });
  });

  it("lets a handler's decorator win over its controller's", async () => {
    const visitor = new Visitor();
    const base = await visitor.open(`${site.url}/twice/base`);
    expect(JSON.parse(base.body)).toMatchObject({ scope: 'base' });
    const inherited = await visitor.open(`${site.url}/twice/inherited`);
    expect(new URL(inherited.url).pathname).toBe('/wechat/consent');
  });

  it("lets a handler's @WechatPublic() win over its controller's @WechatAuth(), and the other way round", async () => {
    const visitor = new Visitor();
    const open = await visitor.fetch(`${site.url}/closed/open`);
    expect([open.status, open.body]).toEqual([200, '{"user":null}']);
    expect((await visitor.fetch(`${site.url}/closed`)).status).toBe(401);
    expect((await visitor.fetch(`${site.url}/open`)).status).toBe(200);
    expect((await visitor.fetch(`${site.url}/open/closed`)).status).toBe(401);
  });

  it('stays closed if one handler says both', async () => {
    expect((await new Visitor().fetch(`${site.url}/closed/both`)).status).toBe(401);
  });

  it.each<[string, Record<string, string>, number]>([
    ['its own page', { origin: 'SITE' }, 201],
    ['an allowed origin', { origin: 'https://admin.example.com' }, 201],
    ['a client that is no browser', {}, 201],
    ['its own page under a strict referrer policy', { origin: 'null', 'sec-fetch-site': 'same-origin' }, 201],
    ['another site', { origin: 'https://evil.example' }, 403],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    ['an origin that only looks alike', { origin: 'https://admin.example.com.evil.example' }, 403],
  ])('answers a POST from %s', async (_what, headers, status) => {
    const visitor = await signedIn();
    const origin = headers['origin']?.replace('SITE', site.url);
    const visit = await visitor.fetch(`${site.url}/orders`, {
      method: 'POST',
      headers: { ...headers, ...(origin !== undefined && { origin }) },
    });
    expect(visit.status).toBe(status);
    if (status === 403) expect(JSON.parse(visit.body)).toMatchObject({ code: 'cross_origin' });
  });

  it('signs out with a form: the session is gone, the page comes back', async () => {
    const visitor = await signedIn();
    const visit = await visitor.fetch(`${site.url}/wechat/sign-out?return_to=/public`, {
      method: 'POST',
      headers: { accept: 'text/html', origin: site.url },
    });
    expect([visit.status, visit.headers['location']]).toEqual([303, `${site.url}/public`]);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
  });

  it('signs out with a script, or on a page of its own without a way back', async () => {
    const visitor = await signedIn();
    expect((await visitor.fetch(`${site.url}/wechat/sign-out`, { method: 'POST' })).status).toBe(204);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
    const page = await visitor.fetch(`${site.url}/wechat/sign-out`, {
      method: 'POST',
      headers: { accept: 'text/html' },
    });
    expect([page.status, page.body.includes('已退出登录')]).toEqual([200, true]);
  });

  it('does not let another site sign its visitors out', async () => {
    const visitor = await signedIn();
    const visit = await visitor.fetch(`${site.url}/wechat/sign-out`, {
      method: 'POST',
      headers: { accept: 'text/html', origin: 'https://evil.example' },
    });
    expect(visit.status).toBe(403);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(200);
  });

  it('lets a session end after thirty days', async () => {
    const visitor = await signedIn();
    world.clock.advance(30 * 24 * 60 * 60_000 - 1_000);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(200);
    world.clock.advance(1_000);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
  });
});

// Fastify knows no next() between routes.
describe('a request that one handler hands on to another with next(), on express', () => {
  let world: TestWorld;

  beforeAll(async () => {
    world = await TestWorld.create();
  });
  afterAll(() => world.close());

  it('is let in to the second one only if it is enough for the second one, too', async () => {
    const { url } = await world.start({ controllers: [RelayController] });
    const visitor = new Visitor();
    expect((await visitor.fetch(`${url}/relay`)).status).toBe(401);
    const visit = await visitor.open(`${url}/relay`);
    expect(JSON.parse(visit.body)).toEqual({ openid: world.wechat.users[0]?.openid });
  });
});

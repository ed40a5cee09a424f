import { request as httpRequest } from 'node:http';
import { connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';
import { trustingProxy } from './hostings.js';

/** Where a redirect to WeChat says that the browser shall come back to. */
function redirectUriOf(visit: Visit): URL {
  expect(visit.status).toBe(302);
  const redirectUri = new URL(visit.headers['location'] ?? '').searchParams.get('redirect_uri');
  return new URL(redirectUri ?? '');
}

/** A redirect URI without its ticket. */
function callbackOf(visit: Visit): string {
  const { origin, pathname } = redirectUriOf(visit);
  return origin + pathname;
}

function leave(url: string, headers: Record<string, string> = {}): Promise<Visit> {
  return new Visitor().open(url, { headers, follow: () => false });
}

/** A navigation with a request line as no browser and no library would write it. */
async function rawGet(
  site: TestInstance,
  path: string,
): Promise<{ status: number | undefined; location: string | undefined; cookie: string | undefined }> {
  const { hostname, port } = new URL(site.url);
  const headers = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  return new Promise((resolve, reject) => {
    httpRequest({ hostname, port, path, headers }, (response) => {
      response.resume();
      const { location, 'set-cookie': cookies } = response.headers;
      resolve({ status: response.statusCode, location, cookie: cookies?.[0]?.split(';')[0] });
    })
      .on('error', reject)
      .end();
  });
}

describe.each(PLATFORMS)('where a sign-in ends, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform });
  });
  afterAll(() => world.close());

  /** @returns the address that the callback sends the browser to, to the letter, but for an empty fragment. */
  async function endOf(query: string): Promise<string | undefined> {
    const back = await new Visitor().open(`${site.url}/wechat/sign-in${query}`, {
      follow: (location) =>
        location.startsWith(world.wechat.url) || location.startsWith(`${site.url}/wechat/callback?`),
    });
    expect(new URL(back.url).pathname).toBe('/wechat/callback');
    expect(back.status).toBe(303);
    // Without a fragment of its own, the page would inherit the `#wechat_redirect` of the way there.
    expect(back.headers['location']).toContain('#');
    return back.headers['location']?.replace(/#$/, '');
  }

  const returnTo = (address: string): Promise<string | undefined> =>
    endOf(`?return_to=${encodeURIComponent(address)}`);

  it('is the start page where nothing is asked for', async () => {
    expect(await endOf('')).toBe(`${site.url}/`);
    expect(await endOf('?return_to=')).toBe(`${site.url}/`);
  });

  it.each([
    ['another host', 'https://evil.example'],
    ['another host by plain http', 'http://evil.example/hello'],
    ['another host, without a scheme', '//evil.example'],
    ['another host, with three slashes', '///evil.example'],
    ['another host, with a scheme and no slashes', 'https:evil.example'],
    ['another host, by a backslash', '/\\evil.example'],
    ['another host, by two backslashes', '\\\\evil.example'],
    ['another host, by a backslash and a slash', '\\/evil.example'],
    ['another host, by a dot segment', '/.//evil.example'],
    ['another host, by two dot segments', '/..//evil.example'],
    ['another host, by a path that goes up', '/a/..//evil.example'],
    ['another host, by an encoded dot segment', '/%2e//evil.example'],
    ['another host, with a tab between the slashes', '/\t/evil.example'],
    ['another host, with a newline between the slashes', '/\n/evil.example'],
    ['another host, with a carriage return', '/\r/evil.example'],
    ['another host, behind blanks', '  //evil.example'],
    ['another host, behind control characters', '\0\u0001//evil.example'],
    ['another host, by full-width slashes', 'https:／／evil.example'],
    ['another host that begins like ours', 'http://127.0.0.1.evil.example/'],
    ['another host, with ours as the user', 'http://127.0.0.1@evil.example/'],
    ['this machine at another port', 'http://127.0.0.1:1/hello'],
    ['this machine without the port', 'http://127.0.0.1/hello'],
    ['a script', 'javascript:alert(1)'],
    ['a script, with a line break in it', 'java\nscript:alert(1)'],
    ['a document in the address', 'data:text/html,<script>alert(1)</script>'],
    ['a file', 'file:///etc/passwd'],
    ['an unknown scheme', 'weixin://dl/chat'],
    ['an address that is none', 'http://['],
    ['a port that is none', 'http://127.0.0.1:99999/'],
  ])('is the start page, not %s', async (_, address) => {
    expect(await returnTo(address)).toBe(`${site.url}/`);
  });

  it('is the start page, not what a script calls an address of this origin', async () => {
    expect(await returnTo(`blob:${site.url}/6f1a`)).toBe(`${site.url}/`);
  });

  it.each([
    ['a path', '/hello', '/hello'],
    ['a path without its slash', 'hello', '/hello'],
    ['a path with a query and a hash', '/hello?a=1&b=%26#part', '/hello?a=1&b=%26#part'],
    ['a query alone', '?page=2', '/?page=2'],
    ['a hash alone', '#/orders/7', '/#/orders/7'],
    ['Chinese', '/商品?名=小明🙂', '/%E5%95%86%E5%93%81?%E5%90%8D=%E5%B0%8F%E6%98%8E%F0%9F%99%82'],
    ['a path that goes up', '/a/../hello', '/hello'],
    ['encoded slashes, which are no host', '/%2F%2Fevil.example', '/%2F%2Fevil.example'],
    ['encoded slashes without a slash', '%2F%2Fevil.example', '/%2F%2Fevil.example'],
    ['an encoded backslash', '/%5Cevil.example', '/%5Cevil.example'],
    ['slashes further on', '/hello//evil.example', '/hello//evil.example'],
    ['an address in the query', '/hello?next=https://evil.example', '/hello?next=https://evil.example'],
    ['line breaks, which are dropped', '/hel\r\nlo', '/hello'],
    ['encoded line breaks, which stay so', '/hello%0D%0ASet-Cookie:%20a=b', '/hello%0D%0ASet-Cookie:%20a=b'],
    ['signs of HTML', '/hello?q="><script>', '/hello?q=%22%3E%3Cscript%3E'],
  ])('is the page that was asked for: %s', async (_, address, path) => {
    expect(await returnTo(address)).toBe(site.url + path);
  });

  it('is the page that was asked for by its whole address, with query and hash', async () => {
    expect(await returnTo(`${site.url}/hello?a=1#part`)).toBe(`${site.url}/hello?a=1#part`);
    expect(await returnTo(`${site.url.toUpperCase()}/hello`)).toBe(`${site.url}/hello`);
  });

  it('is never an address with a user name in it', async () => {
    const { host } = new URL(site.url);
    expect(await returnTo(`http://user:password@${host}/hello`)).toBe(`${site.url}/hello`);
  });

  it.each([
    ['1,024 bytes are kept', `/hello?q=${'a'.repeat(1_015)}`, true],
    ['1,025 bytes are too long', `/hello?q=${'a'.repeat(1_016)}`, false],
    // Each of these takes nine bytes in an address.
    ['1,017 bytes of Chinese are kept', `/hello?q=${'好'.repeat(112)}`, true],
    ['1,026 bytes of Chinese are too long', `/hello?q=${'好'.repeat(113)}`, false],
    ['a hash counts too', `/hello#${'a'.repeat(1_018)}`, false],
  ])('is at most 1,024 bytes long: %s', async (_, path, isKept) => {
    expect(await returnTo(path)).toBe(isKept ? new URL(path, site.url).href : `${site.url}/`);
  });

  it('is the first page asked for, where there are two', async () => {
    expect(await endOf('?return_to=/hello&return_to=//evil.example')).toBe(`${site.url}/hello`);
  });

  it('is the page itself where a page started the sign-in, query and all', async () => {
    const visit = await new Visitor().open(`${site.url}/hello?q=%E5%B0%8F&next=//evil.example`);
    expect({ status: visit.status, url: visit.url }).toEqual({
      status: 200,
      url: `${site.url}/hello?q=%E5%B0%8F&next=//evil.example`,
    });
  });

  it('is the start page where the page has a query of more than 1,024 bytes', async () => {
    const visit = await new Visitor().open(`${site.url}/hello?q=${'a'.repeat(1_100)}`);
    expect(visit.url).toBe(`${site.url}/`);
  });

  it.each(['//evil.example/hello', '/\\evil.example/hello'])(
    'is nowhere after the strange request line %s, which is no page of ours',
    async (path) => {
      expect(await rawGet(site, path)).toMatchObject({ status: 404, location: undefined });
    },
  );

  it('is the start page after a request line with the whole address of another host', async () => {
    const { status, location = '', cookie = '' } = await rawGet(site, 'http://evil.example/hello');
    expect(status).toBe(302);
    const redirectUri = new URL(location).searchParams.get('redirect_uri') ?? '';
    expect(redirectUri).toMatch(new RegExp(`^${site.url}/wechat/callback\\?t=[\\w.-]+$`));
    const visit = await new Visitor({ cookie }).open(location);
    expect(visit.url).toBe(`${site.url}/`);
  });

  it('after signing out, is never another host either', async () => {
    const signOut = (query: string): Promise<Visit> =>
      new Visitor().fetch(`${site.url}/wechat/sign-out${query}`, {
        method: 'POST',
        headers: { accept: 'text/html' },
      });
    const there = await signOut('?return_to=/public');
    expect({ status: there.status, location: there.headers['location'] }).toEqual({
      status: 303,
      location: `${site.url}/public`,
    });
    expect((await signOut('?return_to=//evil.example')).headers['location']).toBe(`${site.url}/`);
    expect((await signOut('?return_to=https:%2F%2Fevil.example')).headers['location']).toBe(`${site.url}/`);
  });
});

describe.each(PLATFORMS)('with one public URL, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let https: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform });
    https = await world.start({ platform, module: { publicUrl: 'https://shop.example.com' } });
  });
  afterAll(() => world.close());

  it.each<[string, Record<string, string>]>([
    ['Host', { host: 'evil.example' }],
    ['Host with a port', { host: '127.0.0.1:1' }],
    ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }],
    ['Forwarded', { forwarded: 'host=evil.example;proto=https' }],
    ['X-Forwarded-Proto', { 'x-forwarded-proto': 'https', 'x-forwarded-port': '8443' }],
    ['X-Original-URL', { 'x-original-url': '//evil.example/', 'x-rewrite-url': '//evil.example/' }],
    ['X-Forwarded-Prefix', { 'x-forwarded-prefix': '/evil' }],
  ])('the header %s has no say in where WeChat sends the browser', async (_, headers) => {
    for (const path of ['/hello', '/wechat/sign-in?return_to=/hello']) {
      expect(callbackOf(await leave(site.url + path, headers))).toBe(`${site.url}/wechat/callback`);
      expect(callbackOf(await leave(https.url + path, headers))).toBe(
        'https://shop.example.com/wechat/callback',
      );
    }
    const call = await new Visitor().fetch(`${https.url}/hello`, { headers });
    expect(JSON.parse(call.body)).toMatchObject({
      code: 'sign_in_required',
      signInUrl: 'https://shop.example.com/wechat/sign-in?scope=base',
    });
  });
});

describe.each(PLATFORMS)('with several public URLs, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      platform,
      ...trustingProxy(platform),
      module: { publicUrl: 'https://a.example.com,https://b.example.com/shop,https://a.example.com:8443' },
    });
  });
  afterAll(() => world.close());

  it.each([
    ['a.example.com', 'https://a.example.com/wechat/callback'],
    ['b.example.com', 'https://b.example.com/shop/wechat/callback'],
    ['a.example.com:8443', 'https://a.example.com:8443/wechat/callback'],
  ])('the host %s chooses its own', async (host, callback) => {
    expect(callbackOf(await leave(`${site.url}/hello`, { host }))).toBe(callback);
    expect(callbackOf(await leave(`${site.url}/wechat/sign-in`, { host }))).toBe(callback);
  });

  it.each([
    'evil.example',
    'example.com',
    'a.example.com.evil.example',
    'xa.example.com',
    'a.example.com:8444',
    'b.example.com:8443',
    'a.example.com.',
    '127.0.0.1',
  ])('the host %s is none of them: a page says so, and calls get a problem', async (host) => {
    for (const path of ['/hello', '/wechat/sign-in', '/wechat/consent']) {
      const visit = await leave(site.url + path, { host });
      expect({ path, status: visit.status, type: visit.headers['content-type'] }).toEqual({
        path,
        status: 421,
        type: 'text/html; charset=utf-8',
      });
      expect(visit.body).toContain('Wrong address');
      expect(visit.body).not.toContain('example');
      expect(visit.setCookies).toEqual([]);
    }
    const calls = [
      await new Visitor().fetch(`${site.url}/hello`, { headers: { host } }),
      await new Visitor().fetch(`${site.url}/orders`, { method: 'POST', headers: { host } }),
      await new Visitor().fetch(`${site.url}/wechat/sign-out`, { method: 'POST', headers: { host } }),
    ];
    for (const call of calls) {
      expect({ status: call.status, type: call.headers['content-type'] }).toEqual({
        status: 421,
        type: 'application/problem+json; charset=utf-8',
      });
      expect(JSON.parse(call.body)).toMatchObject({ status: 421, code: 'unknown_host' });
    }
  });

  it('no other header chooses among them, not even with a trusted proxy', async () => {
    const forwarded = { 'x-forwarded-host': 'a.example.com', forwarded: 'host=a.example.com' };
    expect((await leave(`${site.url}/hello`, forwarded)).status).toBe(421);
    const visit = await leave(`${site.url}/hello`, { ...forwarded, host: 'b.example.com' });
    expect(callbackOf(visit)).toBe('https://b.example.com/shop/wechat/callback');
  });

  it('pages that need no sign-in are open under any host', async () => {
    const host = '10.0.0.7:3000';
    expect((await leave(`${site.url}/public`, { host })).body).toBe('open to all');
    expect(JSON.parse((await leave(`${site.url}/maybe`, { host })).body)).toEqual({ user: null });
  });

  it('an address of one is not a place to return to from another', async () => {
    const consent = await leave(
      `${site.url}/wechat/consent?scope=userinfo&return_to=${encodeURIComponent('https://b.example.com/shop/me')}`,
      { host: 'a.example.com' },
    );
    const [, button = ''] = /<a class="button" href="([^"]*)"/.exec(consent.body) ?? [];
    const href = button.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
    expect(new URL(href, 'https://a.example.com').searchParams.get('return_to')).toBe('/');
  });
});

describe('with several public URLs, over HTTP/2, which only Fastify speaks', () => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      adapter: new FastifyAdapter({ http2: true }),
      module: { publicUrl: 'https://a.example.com,https://b.example.com/shop' },
    });
  });
  afterAll(() => world.close());

  async function get(authority: string, path: string): Promise<{ status: number; location: string }> {
    const session = connect(site.url);
    const stream = session.request({
      ':path': path,
      ':authority': authority,
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    });
    stream.resume();
    const headers = await new Promise<IncomingHttpHeaders & IncomingHttpStatusHeader>((resolve, reject) =>
      stream.on('response', resolve).on('error', reject),
    );
    await new Promise<void>((resolve) => session.close(resolve));
    return { status: headers[':status'] ?? 0, location: headers.location ?? '' };
  }

  it('the authority chooses among them', async () => {
    const { status, location } = await get('b.example.com', '/hello');
    expect(status).toBe(302);
    const { origin, pathname } = new URL(new URL(location).searchParams.get('redirect_uri') ?? '');
    expect(origin + pathname).toBe('https://b.example.com/shop/wechat/callback');
    expect((await get('evil.example', '/hello')).status).toBe(421);
  });
});

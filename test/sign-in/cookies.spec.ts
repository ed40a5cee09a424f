import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PLATFORMS, TEST_KEY, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';
import { ReverseProxy } from './reverse-proxy.js';

const KEY_2 = `k2:${Buffer.alloc(32, 2).toString('base64')}`;
const DAY_SECONDS = 24 * 60 * 60;

interface SetCookie {
  name: string;
  value: string;
  /** In lower case, in alphabetical order. */
  attributes: string[];
}

function parseSetCookie(line: string): SetCookie {
  const [pair = '', ...attributes] = line.split(/;\s*/);
  const [name = '', ...value] = pair.split('=');
  return { name, value: value.join('='), attributes: attributes.map((one) => one.toLowerCase()).sort() };
}

function setCookie(visit: Visit, kind: 'wechat_session' | 'wechat_browser'): SetCookie {
  const found = visit.setCookies.map(parseSetCookie).filter(({ name }) => name.includes(`${kind}_`));
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** The one cookie of this kind that a visitor has for a site, its name and its value. */
function cookieOf(
  visitor: Visitor,
  url: string,
  kind: 'wechat_session' | 'wechat_browser',
): [string, string] {
  const found = [...visitor.cookies(url)].filter(([name]) => name.startsWith(`${kind}_`));
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe.each(PLATFORMS)('cookies, on http on this machine, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform });
  });
  afterAll(() => world.close());

  it('the browser gets one long-lived id when it leaves for WeChat, and keeps it', async () => {
    const visitor = new Visitor();
    const leaving = await visitor.open(`${site.url}/hello`, { follow: () => false });
    expect(leaving.status).toBe(302);
    expect(leaving.setCookies).toHaveLength(1);
    const first = setCookie(leaving, 'wechat_browser');
    expect(first.name).toMatch(/^wechat_browser_[0-9a-f]{16}$/);
    expect(first.value).toMatch(/^[0-9a-f]{32}$/);
    expect(first.attributes).toEqual(['httponly', `max-age=${400 * DAY_SECONDS}`, 'path=/', 'samesite=lax']);
    const again = await visitor.open(`${site.url}/hello`, { follow: () => false });
    expect(setCookie(again, 'wechat_browser').value).toBe(first.value);
    const stranger = await new Visitor().open(`${site.url}/hello`, { follow: () => false });
    expect(setCookie(stranger, 'wechat_browser')).toMatchObject({ name: first.name });
    expect(setCookie(stranger, 'wechat_browser').value).not.toBe(first.value);
  });

  it('the session is set on the way back, sealed, for as long as it may tell who this was', async () => {
    const back = await new Visitor().open(`${site.url}/hello`, {
      follow: (location) => !location.startsWith(`${site.url}/hello`),
    });
    expect(back.status).toBe(303);
    const session = setCookie(back, 'wechat_session');
    expect(session.name).toMatch(/^wechat_session_[0-9a-f]{16}$/);
    expect(session.attributes).toEqual(['httponly', `max-age=${60 * DAY_SECONDS}`, 'path=/', 'samesite=lax']);
    expect(session.value.split('.')).toHaveLength(5);
    const readable = session.value
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      .join();
    expect(readable).toContain('A256GCM');
    expect(readable).not.toContain(world.wechat.users[0]!.openid);
    // Browsers drop a cookie of more than 4096 bytes.
    expect(session.name.length + session.value.length).toBeLessThan(1_024);
  });

  it('none is set where a session is enough, nor where nobody has to sign in', async () => {
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    for (const page of ['hello', 'public', 'maybe']) {
      const visit = await visitor.open(`${site.url}/${page}`);
      expect({ page, trail: visit.trail.length, cookies: visit.setCookies }).toEqual({
        page,
        trail: 1,
        cookies: [],
      });
    }
    expect((await visitor.fetch(`${site.url}/hello`)).setCookies).toEqual([]);
  });

  it('signing out takes the session and the id of the browser, as they were set, and marks the browser', async () => {
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    const names = (['wechat_session', 'wechat_browser'] as const).map(
      (kind) => cookieOf(visitor, site.url, kind)[0],
    );
    const visit = await visitor.fetch(`${site.url}/wechat/sign-out`, { method: 'POST' });
    const [, browserName] = names;
    expect(visit.setCookies.map(parseSetCookie)).toEqual([
      ...names.map((name) => ({
        name,
        value: '',
        attributes: ['httponly', 'max-age=0', 'path=/', 'samesite=lax'],
      })),
      {
        name: browserName?.replace('wechat_browser', 'wechat_signed_out'),
        value: expect.stringMatching(/^\d{13}$/),
        attributes: ['httponly', `max-age=${400 * DAY_SECONDS}`, 'path=/', 'samesite=lax'],
      },
    ]);
  });

  const damaged: [string, (value: string) => string][] = [
    ['its last character changed', (value) => value.slice(0, -1) + (value.endsWith('A') ? 'Q' : 'A')],
    ['its first character changed', (value) => `f${value.slice(1)}`],
    ['a character in its middle changed', (value) => flip(value, Math.floor(value.length / 2))],
    ['half of it', (value) => value.slice(0, value.length / 2)],
    ['one character of it', (value) => value.slice(0, 1)],
    ['nothing in it', () => ''],
    ['one character more', (value) => `${value}A`],
    ['quotes around it twice', (value) => `""${value}""`],
    ['text that is no sealed text', () => 'undefined'],
    ['five empty parts', () => '....'],
    ['a percent sign that leads nowhere', () => '%E0%A4%A'],
    ['JSON', () => '{"sub":"oAdmin"}'],
    ['a plain JWT', () => 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJvQWRtaW4ifQ.'],
    ['3,000 bytes of noise', () => randomBytes(2_250).toString('base64url')],
  ];

  it.each(damaged)('a session cookie with %s means to sign in again, once', async (_, damage) => {
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    const [name, value] = cookieOf(visitor, site.url, 'wechat_session');
    const bad = damage(value);
    expect(bad).not.toBe(value);
    visitor.cookies(site.url).set(name, bad);

    const call = await visitor.fetch(`${site.url}/hello`);
    expect(call.status).toBe(401);
    expect(JSON.parse(call.body)).toMatchObject({ code: 'sign_in_required' });

    const visit = await visitor.open(`${site.url}/hello`);
    expect({ status: visit.status, url: visit.url }).toEqual({ status: 200, url: `${site.url}/hello` });
    expect(hops(visit)).toEqual(['page', 'wechat', 'callback', 'page']);
    expect(cookieOf(visitor, site.url, 'wechat_session')[1]).not.toBe(bad);
  });

  it.each<[string, string]>([
    ['empty', ''],
    ['of another length', 'abc'],
    ['in capitals', 'A'.repeat(32)],
    ['a text of another kind', '../../etc/passwd'],
    ['very long', 'a'.repeat(3_000)],
  ])('a browser id that is %s is replaced, and the sign-in goes through', async (_, id) => {
    const visitor = new Visitor();
    const leaving = await visitor.open(`${site.url}/hello`, { follow: () => false });
    const { name } = setCookie(leaving, 'wechat_browser');
    visitor.cookies(site.url).set(name, id);
    const visit = await visitor.open(`${site.url}/hello`);
    expect(visit.status).toBe(200);
    expect(hops(visit)).toEqual(['page', 'wechat', 'callback', 'page']);
    expect(visitor.cookies(site.url).get(name)).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['a semicolon', ';'],
    ['signs alone', '=;;=;  ='],
    ['a name alone', 'a'],
    ['equals signs', 'a=b=c=d; e'],
    ['names that JavaScript objects have', '__proto__=x; constructor=y; toString=z'],
    ['percent signs that lead nowhere', '%=%; %E0%A4%A=%E0%A4%A'],
    ['names that only begin like ours', 'wechat_session_=; wechat_browser_='],
    ['bytes above ASCII', 'caf\u00e9=\u00ff'],
    ['8,000 bytes', `x=${'y'.repeat(8_000)}`],
    ['an open quote', 'a="unclosed; b=\\'],
    ['300 cookies', Array.from({ length: 300 }, (_, index) => `c${index}=${index}`).join('; ')],
  ])('a Cookie header of garbage is no obstacle: %s', async (_, cookie) => {
    const visit = await new Visitor({ cookie }).open(`${site.url}/hello`, { follow: () => false });
    expect(visit.status).toBe(302);
    expect(visit.headers['location']).toMatch(
      new RegExp(`^${world.wechat.openBaseUrl}/connect/oauth2/authorize`),
    );
    const call = await new Visitor({ cookie }).fetch(`${site.url}/hello`);
    expect(call.status).toBe(401);
    const optional = await new Visitor({ cookie }).open(`${site.url}/maybe`);
    expect(JSON.parse(optional.body)).toEqual({ user: null });
  });

  it.each([
    ['before', (header: string): string => `=;a;%; __proto__=1; ${header}`],
    ['behind', (header: string): string => `${header}; =;a;%;b="`],
  ])('a session is found with garbage %s it', async (_, withGarbage) => {
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    const header = cookieOf(visitor, site.url, 'wechat_session').join('=');
    const visit = await new Visitor({ cookie: withGarbage(header) }).open(`${site.url}/hello`);
    expect({ status: visit.status, trail: visit.trail.length }).toEqual({ status: 200, trail: 1 });
  });

  it('the session of another application on this host is not taken for one’s own', async () => {
    const other = await world.start({ platform });
    const visitor = new Visitor();
    await visitor.open(`${other.url}/hello`);
    const [otherName, value] = cookieOf(visitor, other.url, 'wechat_session');
    await visitor.open(`${site.url}/hello`);
    const names = [...visitor.cookies(site.url).keys()].filter((name) => name.startsWith('wechat_session_'));
    expect(names).toHaveLength(2);
    const ownName = names.find((name) => name !== otherName)!;

    // Both applications share keys and account; only the public URLs differ.
    const thief = new Visitor({ cookie: `${ownName}=${value}` });
    expect((await thief.fetch(`${site.url}/hello`)).status).toBe(401);
    expect((await thief.open(`${site.url}/hello`, { follow: () => false })).status).toBe(302);
    expect((await new Visitor({ cookie: `${otherName}=${value}` }).fetch(`${other.url}/hello`)).status).toBe(
      200,
    );
  });

  function flip(value: string, position: number): string {
    const character = value[position] === 'A' ? 'B' : 'A';
    return value.slice(0, position) + character + value.slice(position + 1);
  }

  /** The way of a visit: a loop would show. */
  function hops(visit: Visit): string[] {
    return visit.trail.map((address) => {
      if (address.startsWith(world.wechat.url)) return 'wechat';
      return new URL(address).pathname === '/wechat/callback' ? 'callback' : 'page';
    });
  }
});

describe.each(PLATFORMS)('the sessions of several accounts, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create({
      apps: ['wx00000000000000aa', 'wx00000000000000bb'].map((appId) => ({
        appId,
        appSecret: `secret-of-${appId}`,
        redirectDomains: ['127.0.0.1'],
      })),
    });
    site = await world.start({ platform, module: { accounts: world.wechat.apps } });
  });
  afterAll(() => world.close());

  it('are two cookies, and neither is taken for the other', async () => {
    const visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    const [name, value] = cookieOf(visitor, site.url, 'wechat_session');
    await visitor.open(`${site.url}/wechat/sign-in?account=wx00000000000000bb&return_to=/public`);
    const cookies = [...visitor.cookies(site.url)].filter(([each]) => each.startsWith('wechat_session_'));
    expect(cookies).toHaveLength(2);
    const [, otherValue] = cookies.find(([each]) => each !== name)!;
    const ownSession = await new Visitor({ cookie: `${name}=${value}` }).fetch(`${site.url}/hello`);
    expect(JSON.parse(ownSession.body)).toMatchObject({ appId: 'wx00000000000000aa' });
    expect((await new Visitor({ cookie: `${name}=${otherValue}` }).fetch(`${site.url}/hello`)).status).toBe(
      401,
    );
  });
});

describe.each(PLATFORMS)('cookies, on https, on %s', (platform) => {
  const PUBLIC_URL = 'https://shop.example.com';
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create({
      apps: [
        { appId: 'wx00000000000000aa', appSecret: 'secret', redirectDomains: [new URL(PUBLIC_URL).hostname] },
      ],
    });
    site = await world.start({ platform, module: { publicUrl: PUBLIC_URL } });
  });
  afterAll(() => world.close());

  /** TLS ends before the application: what a browser asks of the public address arrives here. */
  function behindTls(address: string): string {
    expect(new URL(address).origin).toBe(PUBLIC_URL);
    return site.url + address.slice(PUBLIC_URL.length);
  }

  it('are for this host alone, and never travel in the clear', async () => {
    const visitor = new Visitor();
    const leaving = await visitor.open(`${site.url}/hello`, { follow: () => false });
    expect(leaving.status).toBe(302);
    const browser = setCookie(leaving, 'wechat_browser');
    expect(browser.name).toMatch(/^__Host-wechat_browser_[0-9a-f]{16}$/);
    expect(browser.attributes).toEqual([
      'httponly',
      `max-age=${400 * DAY_SECONDS}`,
      'path=/',
      'samesite=lax',
      'secure',
    ]);
    const authorize = new URL(leaving.headers['location'] ?? '');
    const redirectUri = new URL(authorize.searchParams.get('redirect_uri') ?? '');
    expect(redirectUri.origin + redirectUri.pathname).toBe(`${PUBLIC_URL}/wechat/callback`);
    expect([...redirectUri.searchParams.keys()]).toEqual(['t']);

    const atWechat = await visitor.open(authorize.href, {
      follow: (location) => location.startsWith(world.wechat.url),
    });
    const back = await visitor.open(behindTls(atWechat.headers['location'] ?? ''), { follow: () => false });
    expect(back.status).toBe(303);
    expect(back.headers['location']).toBe(`${PUBLIC_URL}/hello#`);
    const session = setCookie(back, 'wechat_session');
    expect(session.name).toMatch(/^__Host-wechat_session_[0-9a-f]{16}$/);
    expect(session.attributes).toEqual([
      'httponly',
      `max-age=${60 * DAY_SECONDS}`,
      'path=/',
      'samesite=lax',
      'secure',
    ]);
    expect((await visitor.open(`${site.url}/hello`)).status).toBe(200);

    const signedOut = await visitor.fetch(`${site.url}/wechat/sign-out`, { method: 'POST' });
    expect(signedOut.setCookies.map(parseSetCookie)).toContainEqual({
      name: session.name,
      value: '',
      attributes: ['httponly', 'max-age=0', 'path=/', 'samesite=lax', 'secure'],
    });
  });

  it('are not read under the name that another host of the domain could set', async () => {
    const visitor = new Visitor();
    const leaving = await visitor.open(`${site.url}/hello`, { follow: () => false });
    const { name, value } = setCookie(leaving, 'wechat_browser');
    const planted = name.replace('__Host-', '');
    const stranger = new Visitor({ cookie: `${planted}=${value}` });
    const visit = await stranger.open(`${site.url}/hello`, { follow: () => false });
    expect(setCookie(visit, 'wechat_browser').value).not.toBe(value);
  });
});

describe.each(PLATFORMS)('when keys are rotated, behind one public URL, on %s', (platform) => {
  let world: TestWorld;
  let proxy: ReverseProxy;
  const instances = new Map<string, TestInstance>();

  beforeAll(async () => {
    world = await TestWorld.create();
    proxy = await ReverseProxy.start();
    const [first, second] = [TEST_KEY, KEY_2];
    for (const [step, keys] of Object.entries({
      before: first,
      added: `${first},${second}`,
      promoted: `${second},${first}`,
      retired: second,
      replaced: `k1:${Buffer.alloc(32, 99).toString('base64')}`,
    })) {
      instances.set(step, await world.start({ platform, module: { keys, publicUrl: proxy.url } }));
    }
  });
  afterAll(async () => {
    await proxy.close();
    await world.close();
  });

  function deploy(step: string): void {
    proxy.target = instances.get(step)!.url;
  }

  it.each([
    ['before', 'added'],
    ['added', 'before'],
    ['added', 'promoted'],
    ['promoted', 'added'],
    ['promoted', 'retired'],
  ])('a session made at the step %j lives on at the step %j', async (from, to) => {
    const visitor = new Visitor();
    deploy(from);
    await visitor.open(`${proxy.url}/hello`);
    deploy(to);
    const visit = await visitor.open(`${proxy.url}/hello`);
    expect({ status: visit.status, trail: visit.trail }).toEqual({
      status: 200,
      trail: [`${proxy.url}/hello`],
    });
  });

  it.each([
    ['before', 'added'],
    ['added', 'promoted'],
    ['promoted', 'added'],
    ['promoted', 'retired'],
  ])('a sign-in begun at the step %j ends well at the step %j', async (from, to) => {
    const visitor = new Visitor();
    deploy(from);
    const leaving = await visitor.open(`${proxy.url}/hello`, { follow: () => false });
    deploy(to);
    const visit = await visitor.open(leaving.headers['location'] ?? '');
    expect({ status: visit.status, url: visit.url, hops: visit.trail.length }).toEqual({
      status: 200,
      url: `${proxy.url}/hello`,
      hops: 3,
    });
  });

  it.each([
    ['retired', 'retired'],
    ['replaced by another of the same name', 'replaced'],
  ])('a session sealed with a key since %s means to sign in again, once', async (_, to) => {
    const visitor = new Visitor();
    deploy('before');
    await visitor.open(`${proxy.url}/hello`);
    const [name, old] = cookieOf(visitor, proxy.url, 'wechat_session');
    deploy(to);
    expect((await visitor.fetch(`${proxy.url}/hello`)).status).toBe(401);
    const visit = await visitor.open(`${proxy.url}/hello`);
    expect({ status: visit.status, url: visit.url, hops: visit.trail.length }).toEqual({
      status: 200,
      url: `${proxy.url}/hello`,
      hops: 4,
    });
    expect(visitor.cookies(proxy.url).get(name)).not.toBe(old);
    expect((await visitor.open(`${proxy.url}/hello`)).trail).toHaveLength(1);
  });
});

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import helmet from 'helmet';
import { type Platform, type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';
import { useHelmet } from './hostings.js';

const stay = { follow: (): boolean => false };
const notTheCallback = (location: string): boolean => !location.includes('/wechat/callback');

/** What makes the browser run or apply an inline text. */
function hashOf(inline: string): string {
  return `'sha256-${createHash('sha256').update(inline).digest('base64')}'`;
}

function inlineOf(page: Visit, element: 'script' | 'style'): string[] {
  return [...page.body.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(
    ([, inline = '']) => inline,
  );
}

describe.each<[string, Platform, 'plugin' | 'middleware']>([
  ['helmet on express', 'express', 'middleware'],
  ['@fastify/helmet on fastify', 'fastify', 'plugin'],
  ['helmet as a middleware on fastify', 'fastify', 'middleware'],
])('with the default policy of %s', (_name, platform, kind) => {
  let world: TestWorld;
  let site: TestInstance;
  let strict: TestInstance;
  let visitor: Visitor;
  let hostPolicy: string | undefined;

  beforeAll(async () => {
    world = await TestWorld.create();
    const options = {
      platform,
      configure: (app: TestInstance['app']) =>
        kind === 'plugin' ? useHelmet(app, platform) : app.use(helmet()),
    };
    site = await world.start(options);
    strict = await world.start({ ...options, module: { outsideWechat: 'open-in-wechat' } });
    hostPolicy = (await new Visitor().open(`${site.url}/public`)).headers['content-security-policy'];
    expect(hostPolicy).toContain("script-src 'self'");
  });
  beforeEach(async () => {
    await world.reset();
    visitor = new Visitor();
  });
  afterAll(() => world.close());

  async function untilCallback(): Promise<string> {
    const leaving = await visitor.open(`${site.url}/hello`, { follow: notTheCallback });
    return leaving.headers['location'] ?? '';
  }

  const pages: [string, () => Promise<Visit>][] = [
    ['that asks for consent', () => visitor.open(`${site.url}/me`)],
    ['that the guard shows outside WeChat', () => visitor.open(`${strict.url}/hello`)],
    [
      'of a second try, which goes on by a script',
      async () => {
        const callback = await untilCallback();
        visitor.cookies(site.url).clear();
        return visitor.open(callback);
      },
    ],
    [
      'that says what went wrong',
      async () => {
        const refused = await visitor.answerConsent(await visitor.open(`${site.url}/direct`), 'refuse');
        expect(refused.status).toBe(403);
        return refused;
      },
    ],
    [
      'that confirms the sign-out',
      () =>
        visitor.fetch(`${site.url}/wechat/sign-out`, { method: 'POST', headers: { accept: 'text/html' } }),
    ],
  ];

  it.each(pages)("the page %s has its own policy instead of the host's", async (_what, open) => {
    const page = await open();
    expect(page.url).toMatch(new RegExp(`^(${site.url}/wechat|${strict.url})/`));
    const policy = page.headers['content-security-policy'] ?? '';
    // A second header, which browsers would apply as well, would show as a comma.
    expect(policy).toMatch(/^default-src 'none'; [^,]*$/);
    expect(policy).not.toContain('upgrade-insecure-requests');
    expect(inlineOf(page, 'style')).toHaveLength(1);
    expect(inlineOf(page, 'script')).toHaveLength(page.body.includes('location.re') ? 1 : 0);
    const directives = policy.split('; ');
    for (const element of ['script', 'style'] as const) {
      const directive = directives.find((each) => each.startsWith(`${element}-src `))?.split(' ');
      for (const inline of inlineOf(page, element)) expect(directive).toContain(hashOf(inline));
    }
    expect(page.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
  });

  it("everything else keeps the host's policy", async () => {
    const redirect = await visitor.open(`${site.url}/hello`, stay);
    const problem = await visitor.fetch(`${site.url}/hello`);
    const answer = await visitor.open(`${site.url}/hello`);
    expect([redirect.status, problem.status, answer.status]).toEqual([302, 401, 200]);
    for (const { headers } of [redirect, problem, answer]) {
      expect(headers['content-security-policy']).toBe(hostPolicy);
    }
    for (const { headers } of [redirect, problem]) {
      expect(headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'same-origin' });
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WechatSessionStore, type WechatUser } from '../../src/index.js';
import { type SignInWechatUserOptions, signInWechatUser } from '../../src/testing/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';

const HOUR_MS = 60 * 60 * 1000;

interface GrantRow extends Record<string, unknown> {
  openid: string;
  signed_in_at: Date;
}

describe.each(['express', 'fastify'] as const)(
  'a sign-in by a test, beside one by WeChat, on %s',
  (platform) => {
    let world: TestWorld;
    let site: TestInstance;
    let told: { openid: string; user: string[]; isNewGrant: boolean }[];

    beforeAll(async () => {
      world = await TestWorld.create({
        users: ['林小满', '陈一诺', '王大力', '赵子涵'].map((nickname, index) => ({
          nickname,
          unionid: `union-of-${String(index)}`,
        })),
      });
      told = [];
      site = await world.start({
        platform,
        module: {
          onSignIn: (user, { isNewGrant }) => {
            told.push({ openid: user.openid, user: Object.keys(user).sort(), isNewGrant });
          },
        },
      });
    });
    afterAll(() => world.close());

    /** Every column of the user's row, with what differs between any two users made comparable. */
    async function rowOf(openid: string): Promise<Record<string, unknown>> {
      const rows = await world.query<GrantRow>('SELECT * FROM wechat_grant WHERE openid = $1', [openid]);
      expect(rows).toHaveLength(1);
      const comparable = ([column, value]: [string, unknown]): [string, unknown] => {
        if (value instanceof Date) {
          return [column, `${String(Math.round((+value - +rows[0]!.signed_in_at) / HOUR_MS))} hours`];
        }
        if (typeof value === 'string' && column.startsWith('sealed_')) return [column, value.split('.')[0]];
        return [column, column === 'openid' ? String(value).length : value];
      };
      return Object.fromEntries(Object.entries(rows[0]!).map(comparable));
    }

    /** The session that a browser carries, with what differs between any two sessions made comparable. */
    async function sessionOf(cookie: string, appId: string): Promise<unknown> {
      const publicUrl = { origin: site.url, host: new URL(site.url).host, basePath: '' };
      const store = site.app.get<WechatSessionStore>(WechatSessionStore, { strict: false });
      const session = (await store.read({ headers: { cookie } }, { appId, publicUrl }))!;
      const { id, openid, issuedAt, expiresAt, ...rest } = session;
      return { ...rest, id: id.length, openid: openid.length, lifetimeMs: +expiresAt - +issuedAt };
    }

    async function realSignIn(visitor: Visitor, page: '/hello' | '/direct'): Promise<Visit> {
      const visit = await visitor.open(site.url + page, {
        follow: (to) => !to.startsWith(`${site.url}${page}`),
      });
      if (visit.status === 303) return visit;
      return visitor.answerConsent(visit, 'allow', { follow: (to) => !to.startsWith(`${site.url}${page}`) });
    }

    const cases: [string, number, ('/hello' | '/direct')[], SignInWechatUserOptions, boolean?][] = [
      ['silently', 0, ['/hello'], {}],
      ['with the profile', 1, ['/direct'], { scope: 'userinfo', unionid: 'union-of-1' }],
      [
        'with a profile that WeChat fails to give',
        2,
        ['/direct'],
        { userInfo: null, unionid: 'union-of-2' },
        true,
      ],
      [
        'silently, after a consent',
        3,
        ['/direct', '/hello'],
        { scope: 'base', consent: 'live', unionid: 'union-of-3' },
      ],
    ];

    it.each(cases)('leaves the same behind: %s', async (_, person, pages, options, isOwed = false) => {
      const real = world.wechat.users[person]!;
      await world.wechat.signInAs(real.openid);
      if (isOwed) await world.wechat.failNext('userinfo', { status: 502 }, { times: 3 });
      let back: Visit | undefined;
      for (const page of pages) back = await realSignIn(new Visitor(), page);
      expect(back?.status).toBe(303);
      const setCookie = back!.setCookies.find((line) => line.startsWith('wechat_session_'))!;
      const [pair = '', ...attributes] = setCookie.split('; ');

      const { cookie, cookies, user } = await signInWechatUser(site.app, options);

      expect(await rowOf(user.openid)).toEqual(await rowOf(real.openid));
      expect(await sessionOf(cookie, user.appId)).toEqual(await sessionOf(pair, user.appId));
      expect(cookies.map(({ name }) => name)).toEqual([pair.split('=')[0]]);
      expect(attributes.filter((attribute) => !attribute.startsWith('Max-Age')).sort()).toEqual([
        'HttpOnly',
        'Path=/',
        'SameSite=Lax',
      ]);
      expect(cookies[0]).toMatchObject({
        domain: '127.0.0.1',
        path: '/',
        httpOnly: true,
        secure: false,
        sameSite: 'Lax',
      });
      const toldOf = (openid: string): unknown[] => told.filter((one) => one.openid === openid);
      expect(toldOf(user.openid)).toEqual([
        { ...(toldOf(real.openid).at(-1) as object), openid: user.openid, isNewGrant: true },
      ]);

      const seen = async (header: string): Promise<WechatUser> => {
        const { body } = await new Visitor({ cookie: header }).open(`${site.url}/maybe`);
        return (JSON.parse(body) as { user: WechatUser }).user;
      };
      const { userInfo, ...known } = await seen(cookie);
      const { userInfo: realUserInfo, ...realKnown } = await seen(pair);
      expect(known).toEqual({ ...realKnown, openid: user.openid });
      expect(Object.keys(userInfo ?? {}).sort()).toEqual(Object.keys(realUserInfo ?? {}).sort());
    });
  },
);

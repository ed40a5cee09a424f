import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { WechatUser } from '../../src/index.js';
import { type SignInWechatUserOptions, signInWechatUser } from '../../src/testing/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const PROFILE = {
  sex: 0,
  language: '',
  province: '',
  city: '',
  country: '',
  privilege: [],
};

describe.each(['express', 'fastify'] as const)('a user whom a test has signed in, on %s', (platform) => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform });
  });
  afterAll(() => world.close());
  // Whoever is signed in so has never been to WeChat, and no page sends them there unasked.
  afterEach(() =>
    expect(world.wechat.requests.filter(({ endpoint }) => endpoint !== 'userinfo')).toEqual([]),
  );

  async function signIn(options?: SignInWechatUserOptions): Promise<{ visitor: Visitor; user: WechatUser }> {
    const { cookie, user } = await signInWechatUser(site.app, options);
    return { visitor: new Visitor({ cookie }), user };
  }

  /** What a person gets who opens the page, without going anywhere else. */
  function open(visitor: Visitor, path: string): Promise<Visit> {
    return visitor.open(site.url + path, { follow: () => false });
  }

  async function seenBy(visitor: Visitor, path: string): Promise<{ page: unknown; call: unknown }> {
    const page = await open(visitor, path);
    const call = await visitor.fetch(site.url + path);
    expect([page.status, call.status]).toEqual([200, 200]);
    return { page: JSON.parse(page.body), call: JSON.parse(call.body) };
  }

  it('is known by a new openid on pages and to scripts, and may post', async () => {
    const { visitor, user } = await signIn();
    expect(user).toEqual({
      appId: world.wechat.apps[0]?.appId,
      openid: expect.stringMatching(/^o[\w-]{27}$/),
      scope: 'base',
      snapshot: false,
    });
    expect(await seenBy(visitor, '/hello')).toEqual({ page: user, call: user });
    const posted = await visitor.fetch(`${site.url}/orders`, { method: 'POST' });
    expect([posted.status, JSON.parse(posted.body)]).toEqual([201, { orderedBy: user.openid }]);
    expect((await signIn()).user.openid).not.toBe(user.openid);
  });

  it('is asked for consent where a profile is needed, if there is only an openid', async () => {
    const { visitor } = await signIn();
    const call = await visitor.fetch(`${site.url}/me`);
    expect([call.status, JSON.parse(call.body)]).toMatchObject([401, { code: 'consent_required' }]);
    const page = await open(visitor, '/me');
    expect([page.status, page.headers['location']]).toEqual([
      302,
      expect.stringContaining(`${site.url}/wechat/consent?`),
    ]);
    expect((await seenBy(visitor, '/maybe')).page).toMatchObject({ user: { scope: 'base' } });
  });

  it('has the openid, the unionid and the profile that the test wants', async () => {
    const { visitor, user } = await signIn({
      openid: 'oTheOneWhoOrders',
      unionid: 'uTheOneWhoOrders',
      scope: 'userinfo',
      userInfo: { nickname: '小满🌈', headimgurl: '', privilege: ['chinaunicom'] },
    });
    const expected = {
      appId: world.wechat.apps[0]?.appId,
      openid: 'oTheOneWhoOrders',
      unionid: 'uTheOneWhoOrders',
      scope: 'userinfo',
      userInfo: {
        ...PROFILE,
        openid: 'oTheOneWhoOrders',
        unionid: 'uTheOneWhoOrders',
        nickname: '小满🌈',
        headimgurl: '',
        privilege: ['chinaunicom'],
      },
      snapshot: false,
    };
    expect(user).toEqual(expected);
    expect(await seenBy(visitor, '/me')).toEqual({ page: expected, call: expected });
    expect(await seenBy(visitor, '/direct')).toEqual({ page: expected, call: expected });
    expect((await seenBy(visitor, '/hello')).page).toMatchObject({
      scope: 'base',
      unionid: expected.unionid,
    });
  });

  it('has a profile also if the test does not care which', async () => {
    const { visitor, user } = await signIn({ scope: 'userinfo' });
    expect(user.userInfo).toEqual({
      ...PROFILE,
      openid: user.openid,
      nickname: expect.stringMatching(/./),
      headimgurl: expect.stringMatching(/^https:/),
    });
    expect(await seenBy(visitor, '/me')).toEqual({ page: user, call: user });
  });

  it('has consented if the test names a profile or a consent, without naming the scope', async () => {
    expect((await signIn({ userInfo: { nickname: '小满' } })).user).toMatchObject({
      scope: 'userinfo',
      userInfo: { nickname: '小满' },
    });
    expect((await signIn({ consent: 'live' })).user.scope).toBe('userinfo');
  });

  it('has a profile that is owed, if the test says that WeChat did not give it', async () => {
    const { visitor, user } = await signIn({ scope: 'userinfo', userInfo: null });
    expect(user.userInfo).toBeUndefined();
    await world.wechat.failNext('userinfo', { status: 502 });
    expect(await seenBy(visitor, '/me')).toEqual({ page: user, call: user });
    expect(world.wechat.requests.map(({ endpoint }) => endpoint)).toEqual(['userinfo']);
  });

  it.each<[string, SignInWechatUserOptions]>([
    ['at a sign-in with the profile', { scope: 'userinfo', consent: 'ended' }],
    ['before a silent sign-in', { scope: 'base', consent: 'ended' }],
    ['on a day long ago', { consent: { expiresAt: new Date('2024-02-29') } }],
  ])('is asked anew where a consent has ended that was given %s', async (_, options) => {
    const { visitor } = await signIn(options);
    expect((await visitor.fetch(`${site.url}/me`)).status).toBe(401);
    expect((await open(visitor, '/me')).headers['location']).toContain('/wechat/consent?');
    expect((await seenBy(visitor, '/hello')).call).toMatchObject({ scope: 'base' });
  });

  it('is not asked where a consent holds from before a silent sign-in', async () => {
    const { visitor, user } = await signIn({
      scope: 'base',
      consent: 'live',
      userInfo: { nickname: '小满' },
    });
    expect(user).not.toHaveProperty('userInfo');
    const known = { ...user, scope: 'userinfo', userInfo: { nickname: '小满' } };
    expect(await seenBy(visitor, '/me')).toMatchObject({ page: known, call: known });
  });

  it.each(['userinfo', 'base'] as const)(
    'is asked again at the instant that the test has set, after a sign-in with the scope %s',
    async (scope) => {
      const expiresAt = new Date(world.clock.now().getTime() + 3 * DAY_MS);
      const { visitor } = await signIn({ scope, consent: { expiresAt } });
      expect((await open(visitor, '/me')).status).toBe(200);
      world.clock.advance(3 * DAY_MS - 60_000);
      expect((await visitor.fetch(`${site.url}/me`)).status).toBe(200);
      world.clock.advance(60_000);
      expect((await visitor.fetch(`${site.url}/me`)).status).toBe(401);
    },
  );

  it('comes back to what there was at the next sign-in with the same openid', async () => {
    const { user } = await signIn({ userInfo: { nickname: '从前' } });
    const silent = await signIn({ openid: user.openid });
    expect((await seenBy(silent.visitor, '/me')).page).toMatchObject({ userInfo: { nickname: '从前' } });
    const renamed = await signIn({ openid: user.openid, userInfo: { nickname: '后来' }, unionid: 'uLater' });
    for (const { visitor } of [silent, renamed]) {
      expect((await seenBy(visitor, '/me')).page).toMatchObject({
        unionid: 'uLater',
        userInfo: { nickname: '后来' },
      });
    }
    const ended = await signIn({ openid: user.openid, consent: 'ended' });
    expect((await ended.visitor.fetch(`${site.url}/me`)).status).toBe(401);
    const [row] = await world.query(
      'SELECT count(*)::int AS rows, max(pair_version) AS version FROM wechat_grant WHERE openid = $1',
      [user.openid],
    );
    expect(row).toEqual({ rows: 1, version: 4 });
  });

  it('is let in by nothing but the session, which the test can end', async () => {
    const { visitor } = await signIn({ userInfo: { nickname: '小满' }, session: 'ended' });
    const call = await visitor.fetch(`${site.url}/me`);
    expect([call.status, JSON.parse(call.body)]).toMatchObject([401, { code: 'sign_in_required' }]);
    // Who it was is still known: with a live consent nobody is asked on the way.
    const page = await open(visitor, '/me');
    expect(new URL(page.headers['location'] ?? '').searchParams.get('scope')).toBe('snsapi_userinfo');
    expect(JSON.parse((await open(visitor, '/maybe')).body)).toEqual({ user: null });
  });

  it('has a session that ends when the test says', async () => {
    const { visitor } = await signIn({
      session: { expiresAt: new Date(world.clock.now().getTime() + 60_000) },
    });
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(200);
    world.clock.advance(60_000);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
  });

  it('may be the virtual user of a snapshot page, of whom nothing is stored', async () => {
    const { visitor, user } = await signIn({ snapshot: true, scope: 'userinfo' });
    expect(user).toMatchObject({ scope: 'base', snapshot: true });
    expect(await seenBy(visitor, '/me')).toEqual({ page: user, call: user });
    const posted = await visitor.fetch(`${site.url}/orders`, { method: 'POST' });
    expect([posted.status, JSON.parse(posted.body)]).toMatchObject([403, { code: 'snapshot_page' }]);
    expect(await world.query('SELECT 1 FROM wechat_grant WHERE openid = $1', [user.openid])).toEqual([]);
    world.clock.advance(10 * 60_000);
    expect((await visitor.fetch(`${site.url}/hello`)).status).toBe(401);
  });

  it('signs out like anybody else', async () => {
    const { visitor } = await signIn();
    const signedOut = await visitor.fetch(`${site.url}/wechat/sign-out`, { method: 'POST' });
    expect(signedOut.status).toBe(204);
    expect(signedOut.setCookies.join()).toContain('wechat_session_');
  });
});

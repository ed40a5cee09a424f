import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { createWechatEmulator, WechatEmulatorError } from '../../src/emulator/index.js';
import {
  authorize,
  authorizeUrl,
  callAuth,
  callSns,
  callToken,
  closeEmulators,
  errcodeOf,
  firstApp,
  MINUTE_MS,
  open,
  signIn,
  START,
  startEmulator,
  user,
} from './emulator.harness.js';

const APP = { appId: 'wx1', appSecret: 's', redirectDomains: ['localhost'] };

afterEach(closeEmulators);

describe('createWechatEmulator', () => {
  it('has one service account and three people without being told', async () => {
    const wechat = await startEmulator();

    expect(wechat.apps).toHaveLength(1);
    expect(firstApp(wechat).appId).toMatch(/^wx[0-9a-f]{16}$/);
    expect(firstApp(wechat).appSecret).toMatch(/^[0-9a-f]{32}$/);
    expect(firstApp(wechat).redirectDomains).toEqual(['localhost', '127.0.0.1']);
    expect(wechat.users.map(({ nickname }) => nickname)).toEqual(['林小满', '陈一诺🌈', '王大力']);
    for (const { openid } of wechat.users) {
      expect(openid).toMatch(/^o[A-Za-z0-9_-]{27}$/);
    }
  });

  it('plays both hosts of WeChat at one address of this machine', async () => {
    const wechat = await startEmulator();

    expect(wechat.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect([wechat.openBaseUrl, wechat.apiBaseUrl]).toEqual([wechat.url, wechat.url]);
    expect((await open(wechat.url)).text).toContain('林小满');
    expect((await open(`${wechat.url}/cgi-bin/token`)).status).toBe(404);
  });

  it('gives the same codes for the same seed, other ones for another, and the same openids always', async () => {
    const [one, same, other] = await Promise.all([
      startEmulator({ seed: 7 }),
      startEmulator({ seed: 7 }),
      startEmulator({ seed: 8 }),
    ]);
    const codes = [one, same, other].map((wechat) => authorize(wechat, 'snsapi_base'));

    expect(await codes[0]).toBe(await codes[1]);
    expect(await codes[0]).not.toBe(await codes[2]);
    expect(user(other).openid).toBe(user(one).openid);
  });

  it('follows the clock that it is given, and adds what it is told to', async () => {
    let now = START;
    const wechat = await startEmulator({ now: () => now });
    now = new Date(START.getTime() + MINUTE_MS);
    await wechat.advanceTime(MINUTE_MS);

    expect(wechat.now()).toEqual(new Date(START.getTime() + 2 * MINUTE_MS));
  });

  it('records the requests it gets', async () => {
    const wechat = await startEmulator();
    await open(authorizeUrl(wechat));
    await open(`${wechat.apiBaseUrl}/sns/auth?access_token=x&openid=o`, { method: 'POST' });
    await open(`${wechat.url}/nowhere`);

    expect(wechat.requests.map(({ method, path, endpoint }) => [method, path, endpoint])).toEqual([
      ['GET', '/connect/oauth2/authorize', 'authorize'],
      ['POST', '/sns/auth', 'auth'],
      ['GET', '/nowhere', undefined],
    ]);
    expect(wechat.requests[1]).toMatchObject({ query: { access_token: 'x', openid: 'o' }, at: START });
  });

  it('takes no other methods than WeChat', async () => {
    const wechat = await startEmulator();

    expect((await callSns(wechat, 'oauth2/access_token', {}, { method: 'PUT' })).status).toBe(405);
    expect((await open(authorizeUrl(wechat), { method: 'POST' })).status).toBe(405);
  });

  it('ends the snapshot pages of a user when it is told to, and shows none to who has consented', async () => {
    const wechat = await startEmulator();
    const { openid } = user(wechat);
    await wechat.user(openid).snapshot();
    await wechat.user(openid).snapshot(false);
    expect((await signIn(wechat, 'snsapi_userinfo')).openid).toBe(openid);
    await wechat.user(openid).snapshot();
    expect((await signIn(wechat, 'snsapi_userinfo')).openid).toBe(openid);
  });

  it('signs in whoever it is told to', async () => {
    const wechat = await startEmulator();
    await wechat.signInAs(user(wechat, 2).openid);

    expect((await signIn(wechat, 'snsapi_base')).openid).toBe(user(wechat, 2).openid);
  });

  it('forgets everything at a reset, and still gives out no code twice', async () => {
    const wechat = await startEmulator({ seed: 7 });
    const former = await authorize(wechat, 'snsapi_base');
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    await wechat.user(tokens.openid).follow();
    await wechat.signInAs(user(wechat, 1).openid);
    await wechat.advanceTime(MINUTE_MS);
    await wechat.failNext('auth', { errcode: -1 });
    await wechat.reset();

    expect(wechat.requests).toEqual([]);
    expect(wechat.now()).toEqual(START);
    expect(errcodeOf(await callAuth(wechat, tokens))).toBe(40001);
    expect(errcodeOf(await callToken(wechat, { code: former }))).toBe(40029);
    expect((await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }))).text).toContain('林小满');
    expect((await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }))).location).toBeNull();
    expect((await signIn(wechat, 'snsapi_base')).openid).toBe(user(wechat).openid);
    expect(await authorize(wechat, 'snsapi_base')).not.toBe(former);
  });

  it('closes at once although connections are kept alive, and its port is free again', async () => {
    const wechat = await startEmulator();
    await open(wechat.url);
    await wechat.close();
    await expect(open(wechat.url)).rejects.toThrow();

    const port = Number(new URL(wechat.url).port);
    expect((await startEmulator({ port })).url).toBe(wechat.url);
  });

  it('says so when the port is taken', async () => {
    const wechat = await startEmulator();
    const attempt = createWechatEmulator({ port: Number(new URL(wechat.url).port) });

    await expect(attempt).rejects.toBeInstanceOf(WechatEmulatorError);
    await expect(attempt).rejects.toThrow('Choose another port, or 0 for any free one.');
  });

  it.each<[string, Parameters<typeof createWechatEmulator>[0], RegExp]>([
    ['no apps', { apps: [] }, /options\.apps is empty/],
    ['no users', { users: [] }, /options\.users is empty/],
    [
      'one openid for two people',
      { users: ['赵', '钱'].map((nickname) => ({ nickname, openid: 'o1' })) },
      /users has the openid "o1" empty or twice/,
    ],
    [
      'an openid with half a character',
      { users: [{ nickname: '赵', openid: 'o\ud800' }] },
      /users\[0\]\.openid is .*: give a text of whole characters/,
    ],
    [
      'a redirect domain with a port',
      { apps: [{ appId: 'wx1', appSecret: 's', redirectDomains: ['localhost:3000'] }] },
      /registers "localhost:3000".*a bare host name/,
    ],
    [
      'an unknown refusal',
      { refusal: 'never' as 'page' },
      /options\.refusal is "never": choose one of authdeny/,
    ],
  ])('refuses %s', async (_case, options, message) => {
    await expect(createWechatEmulator(options)).rejects.toThrow(message);
  });

  it('names the people it knows when asked for another', async () => {
    const wechat = await startEmulator();

    expect(() => wechat.user('oNobody')).toThrow(user(wechat).openid);
    await expect(wechat.signInAs('oNobody')).rejects.toThrow('no user with the openid "oNobody"');
    expect(() => wechat.user(user(wechat).openid).openidAt('wx0')).toThrow('no app wx0');
  });

  it.each<[string, Parameters<typeof createWechatEmulator>[0], string]>([
    ['a website application', { apps: [{ ...APP, kind: 'website' }] }, 'only a service account or a sandbox'],
    [
      'a third-party platform',
      { apps: [{ ...APP, kind: 'component' }] },
      'only a service account or a sandbox',
    ],
    ['a banned account', { apps: [{ ...APP, banned: true }] }, 'may not ask for snsapi_userinfo'],
    [
      'an account without the scope',
      { apps: [{ ...APP, scopes: ['snsapi_base'] }] },
      'may not ask for snsapi_userinfo',
    ],
  ])('authorizes at once nothing that the page would refuse: not %s', async (_case, options, message) => {
    const wechat = await startEmulator(options);
    await expect(wechat.user(user(wechat).openid).authorize('snsapi_userinfo')).rejects.toThrow(message);
  });

  it('authorizes at once nobody who has closed the account', async () => {
    const wechat = await startEmulator();
    const person = wechat.user(user(wechat).openid);
    await person.deregister();
    await expect(person.authorize('snsapi_base')).rejects.toThrow('the user has closed the account');
  });

  it('answers a client that takes it for a proxy, and one that encodes the names of its parameters', async () => {
    const wechat = await startEmulator();
    const { access_token, openid } = await wechat.user(user(wechat).openid).authorize('snsapi_base');
    const path = `/sns/auth?access%5Ftoken=${access_token}&open%69d=${openid}`;
    const answer = await new Promise<string>((resolve, reject) => {
      // The path of a request to a proxy is the whole address.
      get({ port: new URL(wechat.url).port, path: `http://api.weixin.qq.com${path}` }, (response) => {
        text(response).then(resolve, reject);
      }).on('error', reject);
    });
    expect(answer).toBe('{"errcode":0,"errmsg":"ok"}');
    expect(wechat.requests.at(-1)).toMatchObject({ path: '/sns/auth', query: { openid } });
  });
});

import type { WechatEmulatorOptions } from '../../src/emulator/index.js';
import { ACCESS_TOKEN_LIFETIME_MS, DAY_MS, defined, user } from '../emulator/emulator.harness.js';
import {
  authorizeAt,
  callsOf,
  type ForeignWorld,
  openAuthorizationPage,
  profileOf,
  REDIRECT_URI,
  startForeignClient,
  stopForeignClients,
} from './foreign.harness.js';

interface Token {
  access_token: string;
  expires_in: number;
  refresh_token: string;
  openid: string;
  scope: string;
}

const RID = 'rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}';

let world: ForeignWorld;

/** Its address has scope before response_type, which WeChat's clients on phones open and the one on a PC does not. */
const start = async (options: WechatEmulatorOptions = {}): Promise<void> => {
  world = await startForeignClient('node-easywechat', {
    wechat: { strictParameterOrder: false, ...options },
  });
};

afterEach(stopForeignClients);

const addressFor = (scope: string): Promise<string> =>
  world.client.ask('redirect', REDIRECT_URI, 'abc123', scope);

/** @returns where the user comes back to, by way of the address that node-easywechat has made. */
async function authorize(scope: string, allow: '0' | '1' = '1'): Promise<URL> {
  return authorizeAt(world.wechat, await addressFor(scope), allow);
}

async function codeFor(scope: string): Promise<string> {
  return defined((await authorize(scope)).searchParams.get('code'));
}

async function signIn(scope: string): Promise<Token> {
  return world.client.ask('tokenFromCode', await codeFor(scope));
}

/** What its users get where a code gives no token. */
function authorizeFailure(errcode: number, errmsg: string) {
  const answer = `{"errcode":${errcode},"errmsg":"${errmsg}, ${RID}"}`;
  return { name: 'Error', message: expect.stringMatching(`^Authorize Failed: ${answer}$`) as string };
}

/** What its users get for an `errcode` after that: no error, but a user who is nobody. */
function nobody(errcode: number, errmsg: string) {
  return {
    id: null,
    nickname: null,
    raw: { errcode, errmsg: expect.stringMatching(`^${errmsg}, ${RID}$`) as string },
  };
}

describe('node-easywechat', () => {
  it('signs a user in silently', async () => {
    await start();
    const callback = await authorize('snsapi_base');

    expect(callback.href).toMatch(
      /^http:\/\/localhost:3000\/wechat\/callback\?next=%2F&code=\w{32}&state=abc123$/,
    );
    await expect(
      world.client.ask('userFromCode', callback.searchParams.get('code'), 'snsapi_base'),
    ).resolves.toMatchObject({ id: user(world.wechat).openid, nickname: null });
    expect(callsOf(world.wechat)).toEqual(['/sns/oauth2/access_token']);
  });

  it('gets the tokens of a silent sign-in', async () => {
    await start();

    expect(await signIn('snsapi_base')).toEqual({
      access_token: expect.stringMatching(/^[\w-]{110}$/) as string,
      expires_in: 7200,
      refresh_token: expect.stringMatching(/^[\w-]{110}$/) as string,
      openid: user(world.wechat).openid,
      scope: 'snsapi_base',
    });
  });

  it('reads the profile of a user who consents, emoji and all', async () => {
    await start();
    const profile = profileOf(world.wechat);

    await expect(
      world.client.ask('userFromCode', await codeFor('snsapi_userinfo'), 'snsapi_userinfo'),
    ).resolves.toMatchObject({
      provider: 'wechat',
      id: profile.openid,
      nickname: profile.nickname,
      avatar: profile.headimgurl,
      raw: profile,
      access_token: expect.stringMatching(/^[\w-]{110}$/) as string,
      refresh_token: expect.stringMatching(/^[\w-]{110}$/) as string,
      expires_in: 7200,
    });
  });

  it('leads nowhere in a client of WeChat that insists on the documented order', async () => {
    await start({ strictParameterOrder: true });
    const page = await openAuthorizationPage(world.wechat, await addressFor('snsapi_base'));

    expect(page.location).toBeNull();
    expect(page.text).toContain('该链接无法访问');
  });

  it('learns of a refusal by a code that WeChat calls invalid', async () => {
    await start();
    const code = (await authorize('snsapi_userinfo', '0')).searchParams.get('code');

    expect(code).toBe('authdeny');
    await expect(world.client.ask('userFromCode', code, 'snsapi_userinfo')).rejects.toMatchObject(
      authorizeFailure(40029, 'invalid code'),
    );
  });

  it('learns that a code has been used', async () => {
    await start();
    const code = await codeFor('snsapi_userinfo');
    await world.client.ask('userFromCode', code, 'snsapi_userinfo');

    await expect(world.client.ask('userFromCode', code, 'snsapi_userinfo')).rejects.toMatchObject(
      authorizeFailure(40163, 'code been used'),
    );
  });

  it('learns from WeChat that a token has expired, and reads on with a refreshed one', async () => {
    await start();
    const { access_token, refresh_token, openid } = await signIn('snsapi_userinfo');
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);

    await expect(world.client.ask('userFromToken', access_token, openid)).resolves.toMatchObject(
      nobody(42001, 'access_token expired'),
    );
    const refreshed = await world.client.ask<Token>('refresh', refresh_token);
    await expect(world.client.ask('userFromToken', refreshed.access_token, openid)).resolves.toMatchObject({
      raw: profileOf(world.wechat),
    });
  });

  it('keeps the access token by a refresh before its end, and gets a new one by a refresh after it', async () => {
    await start();
    const { access_token, refresh_token, openid } = await signIn('snsapi_userinfo');
    const unchanged = { openid, expires_in: 7200, refresh_token, scope: 'snsapi_base,snsapi_userinfo,' };

    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
    expect(await world.client.ask('refresh', refresh_token)).toEqual({ ...unchanged, access_token });
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
    const refreshed = await world.client.ask<Token>('refresh', refresh_token);
    expect(refreshed).toEqual({
      ...unchanged,
      access_token: expect.stringMatching(/^[\w-]{110}$/) as string,
    });
    expect(refreshed.access_token).not.toBe(access_token);
  });

  it('cannot refresh after 31 days', async () => {
    await start();
    const { refresh_token } = await signIn('snsapi_userinfo');
    await world.wechat.advanceTime(31 * DAY_MS);

    expect(await world.client.ask('refresh', refresh_token)).toEqual({
      errcode: 42002,
      errmsg: expect.stringMatching(`^refresh_token expired, ${RID}$`) as string,
    });
  });

  it('may not read the profile with a token of a silent sign-in', async () => {
    await start({ grantMemory: false });
    const { access_token, openid } = await signIn('snsapi_base');

    await expect(world.client.ask('userFromToken', access_token, openid)).resolves.toMatchObject(
      nobody(48001, 'api unauthorized'),
    );
  });
});

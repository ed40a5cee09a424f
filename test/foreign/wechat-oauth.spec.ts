import type { WechatEmulatorOptions } from '../../src/emulator/index.js';
import { ACCESS_TOKEN_LIFETIME_MS, DAY_MS, user } from '../emulator/emulator.harness.js';
import {
  authorizeAt,
  callsOf,
  type ForeignWorld,
  profileOf,
  REDIRECT_URI,
  startForeignClient,
  stopForeignClients,
} from './foreign.harness.js';

/** What wechat-oauth hands over instead of the bare answer: that, and when it came. */
interface AccessToken {
  data: {
    access_token: string;
    expires_in: number;
    refresh_token: string;
    openid: string;
    scope: string;
    unionid?: string;
    create_at: number;
  };
}

let world: ForeignWorld;

const start = async (options: WechatEmulatorOptions = {}): Promise<void> => {
  world = await startForeignClient('wechat-oauth', { wechat: options });
};

afterEach(stopForeignClients);

/** @returns where the user comes back to, by way of the address that wechat-oauth has made. */
async function authorize(scope: string, allow: '0' | '1' = '1'): Promise<URL> {
  const address = await world.client.ask<string>('getAuthorizeURL', REDIRECT_URI, 'abc123', scope);
  return authorizeAt(world.wechat, address, allow);
}

async function codeFor(scope: string): Promise<string | null> {
  return (await authorize(scope)).searchParams.get('code');
}

async function signIn(scope: string): Promise<AccessToken['data']> {
  const { data } = await world.client.ask<AccessToken>('getAccessToken', await codeFor(scope));
  return data;
}

async function refresh(refreshToken: string): Promise<AccessToken['data']> {
  const { data } = await world.client.ask<AccessToken>('refreshAccessToken', refreshToken);
  return data;
}

/** What its users get for an `errcode`. */
function apiError(errcode: number, errmsg: string) {
  const message = expect.stringMatching(new RegExp(`^${errmsg}, rid: [0-9a-f-]{26}$`)) as string;
  return { name: 'WeChatAPIError', code: errcode, message };
}

describe('wechat-oauth', () => {
  it('signs a user in silently', async () => {
    await start();
    const callback = await authorize('snsapi_base');

    expect(callback.href).toMatch(
      /^http:\/\/localhost:3000\/wechat\/callback\?next=%2F&code=\w{32}&state=abc123$/,
    );
    const code = callback.searchParams.get('code');
    const { data } = await world.client.ask<AccessToken>('getAccessToken', code);
    expect(data).toEqual({
      access_token: expect.stringMatching(/^[\w-]{110}$/) as string,
      expires_in: 7200,
      refresh_token: expect.stringMatching(/^[\w-]{110}$/) as string,
      openid: user(world.wechat).openid,
      scope: 'snsapi_base',
      create_at: expect.any(Number) as number,
    });
    await expect(world.client.ask('verifyToken', data.openid, data.access_token)).resolves.toEqual({
      errcode: 0,
      errmsg: 'ok',
    });
  });

  it('reads the profile of a user who consents, emoji and all', async () => {
    await start();
    const code = await codeFor('snsapi_userinfo');

    await expect(world.client.ask('getUserByCode', { code, lang: 'zh_CN' })).resolves.toEqual(
      profileOf(world.wechat),
    );
  });

  it('learns of a refusal by a code that WeChat calls invalid', async () => {
    await start();
    const { searchParams } = await authorize('snsapi_userinfo', '0');

    expect([...searchParams.keys()]).toEqual(['next', 'state', 'code', 'reason']);
    expect(searchParams.get('code')).toBe('authdeny');
    await expect(world.client.ask('getUserByCode', 'authdeny')).rejects.toMatchObject(
      apiError(40029, 'invalid code'),
    );
  });

  it('learns of a refusal without a code when WeChat misses it', async () => {
    await start({ refusal: 'state-only' });
    const { searchParams } = await authorize('snsapi_userinfo', '0');

    expect([...searchParams.keys()]).toEqual(['next', 'state']);
    await expect(
      world.client.ask('getAccessToken', searchParams.get('code') ?? undefined),
    ).rejects.toMatchObject(apiError(41008, 'missing code'));
  });

  it('learns that a code has been used', async () => {
    await start();
    const code = await codeFor('snsapi_base');
    await world.client.ask('getAccessToken', code);

    await expect(world.client.ask('getAccessToken', code)).rejects.toMatchObject(
      apiError(40163, 'code been used'),
    );
  });

  it('learns from WeChat that a token has expired which it believes to be good', async () => {
    await start();
    const { openid, access_token } = await signIn('snsapi_userinfo');
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
    const expired = apiError(42001, 'access_token expired');

    await expect(world.client.ask('getUser', openid)).rejects.toMatchObject(expired);
    await expect(world.client.ask('verifyToken', openid, access_token)).rejects.toMatchObject(expired);
  });

  it('refreshes by itself what has expired by its own clock too, and reads on', async () => {
    await start();
    const { openid } = await signIn('snsapi_userinfo');
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
    await world.client.ask('advanceClock', ACCESS_TOKEN_LIFETIME_MS);

    const read = () => world.client.ask('getUser', { openid, lang: 'zh_CN' });
    expect(await read()).toEqual(profileOf(world.wechat));
    expect(await read()).toEqual(profileOf(world.wechat));
    expect(callsOf(world.wechat)).toEqual([
      '/sns/oauth2/access_token',
      '/sns/oauth2/refresh_token',
      '/sns/userinfo',
      '/sns/userinfo',
    ]);
  });

  it('keeps the access token by a refresh before its end, and gets a new one by a refresh after it', async () => {
    await start();
    const { access_token, refresh_token, openid } = await signIn('snsapi_userinfo');
    const unchanged = {
      openid,
      expires_in: 7200,
      refresh_token,
      scope: 'snsapi_base,snsapi_userinfo,',
      create_at: expect.any(Number) as number,
    };

    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
    expect(await refresh(refresh_token)).toEqual({ ...unchanged, access_token });
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
    const refreshed = await refresh(refresh_token);
    expect(refreshed).toEqual({
      ...unchanged,
      access_token: expect.stringMatching(/^[\w-]{110}$/) as string,
    });
    expect(refreshed.access_token).not.toBe(access_token);
  });

  it('cannot refresh after 31 days, neither when asked nor by itself', async () => {
    await start();
    const { refresh_token, openid } = await signIn('snsapi_userinfo');
    await world.wechat.advanceTime(31 * DAY_MS);
    await world.client.ask('advanceClock', 31 * DAY_MS);
    const expired = apiError(42002, 'refresh_token expired');

    await expect(world.client.ask('refreshAccessToken', refresh_token)).rejects.toMatchObject(expired);
    await expect(world.client.ask('getUser', openid)).rejects.toMatchObject(expired);
  });

  it('may not read the profile with a token of a silent sign-in', async () => {
    await start({ grantMemory: false });
    const { openid } = await signIn('snsapi_base');

    await expect(world.client.ask('getUser', openid)).rejects.toMatchObject(
      apiError(48001, 'api unauthorized'),
    );
  });

  it('knows no token of a user who has not signed in, and asks WeChat for nothing', async () => {
    await start();

    await expect(world.client.ask('getUser', user(world.wechat).openid)).rejects.toMatchObject({
      name: 'NoOAuthTokenError',
    });
    expect(callsOf(world.wechat)).toEqual([]);
  });
});

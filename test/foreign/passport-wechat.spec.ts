import type { WechatEmulatorOptions } from '../../src/emulator/index.js';
import {
  ACCESS_TOKEN_LIFETIME_MS,
  DAY_MS,
  defined,
  open,
  type Page,
  user,
} from '../emulator/emulator.harness.js';
import {
  authorizeAt,
  callsOf,
  type ForeignWorld,
  profileOf,
  startForeignClient,
  stopForeignClients,
} from './foreign.harness.js';

/** What the strategy hands to the application's verify function. */
interface Verified {
  accessToken: string;
  refreshToken: string;
  profile: Record<string, unknown>;
  expiresIn: number;
}

interface AccessToken {
  data: { access_token: string; refresh_token: string; openid: string; scope: string };
}

let world: ForeignWorld;

const start = async (options: WechatEmulatorOptions = {}): Promise<void> => {
  world = await startForeignClient('passport-wechat', { wechat: options });
};

afterEach(stopForeignClients);

/** The browser asks for a page that needs a sign-in. @returns where WeChat sends it back to. */
async function authorize(scope: string, allow: '0' | '1' = '1'): Promise<string> {
  const application = await world.client.ask<string>('url');
  const { status, location } = await open(`${application}/${scope}`);
  expect(status).toBe(302);
  const callback = await authorizeAt(world.wechat, defined(location), allow);
  expect(callback.origin).toBe(application);
  return callback.href;
}

async function signIn(scope: string): Promise<Verified> {
  return contentOf(await open(await authorize(scope))) as Verified;
}

function contentOf({ text }: Page): unknown {
  return JSON.parse(text);
}

/** What the application's error handler and callbacks get for an `errcode`. */
function apiError(errcode: number, errmsg: string) {
  const message = expect.stringMatching(new RegExp(`^${errmsg}, rid: [0-9a-f-]{26}$`)) as string;
  return { name: 'WeChatAPIError', code: errcode, message };
}

describe('passport-wechat', () => {
  it('signs a user in silently', async () => {
    await start();

    expect(await signIn('snsapi_base')).toEqual({
      accessToken: expect.stringMatching(/^[\w-]{110}$/) as string,
      refreshToken: expect.stringMatching(/^[\w-]{110}$/) as string,
      profile: { openid: user(world.wechat).openid },
      expiresIn: 7200,
    });
    expect(callsOf(world.wechat)).toEqual(['/sns/oauth2/access_token']);
  });

  it('reads the profile of a user who consents, emoji and all', async () => {
    await start();

    expect(await signIn('snsapi_userinfo')).toEqual({
      accessToken: expect.stringMatching(/^[\w-]{110}$/) as string,
      refreshToken: expect.stringMatching(/^[\w-]{110}$/) as string,
      profile: profileOf(world.wechat),
      expiresIn: 7200,
    });
    expect(callsOf(world.wechat)).toEqual(['/sns/oauth2/access_token', '/sns/userinfo']);
  });

  it.each(['authdeny', 'state-only'] as const)(
    'answers 401 to a user whose refusal comes back as %s, and asks WeChat for nothing',
    async (refusal) => {
      await start({ refusal });

      expect((await open(await authorize('snsapi_userinfo', '0'))).status).toBe(401);
      expect(callsOf(world.wechat)).toEqual([]);
    },
  );

  it('learns that the code has been used when the callback is opened again', async () => {
    await start();
    const callback = await authorize('snsapi_base');
    await open(callback);
    const again = await open(callback);

    expect(again.status).toBe(500);
    expect(contentOf(again)).toEqual(apiError(40163, 'code been used'));
  });

  it('learns from WeChat that a token has expired which it believes to be good', async () => {
    await start();
    const { openid } = (await signIn('snsapi_userinfo')).profile;
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);

    await expect(world.client.ask('getUser', openid)).rejects.toMatchObject(
      apiError(42001, 'access_token expired'),
    );
  });

  it('refreshes by itself what has expired by its own clock too, saves that and reads on', async () => {
    await start();
    const { profile, accessToken, refreshToken } = await signIn('snsapi_userinfo');
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
    await world.client.ask('advanceClock', ACCESS_TOKEN_LIFETIME_MS);

    await expect(world.client.ask('getUser', { openid: profile['openid'], lang: 'zh_CN' })).resolves.toEqual(
      profile,
    );
    const saved = await world.client.ask<AccessToken['data']>('savedToken', profile['openid']);
    expect(saved.refresh_token).toBe(refreshToken);
    expect(saved.access_token).not.toBe(accessToken);
    expect(callsOf(world.wechat).slice(2)).toEqual(['/sns/oauth2/refresh_token', '/sns/userinfo']);
  });

  it('keeps the access token by a refresh before its end, and gets a new one by a refresh after it', async () => {
    await start();
    const { profile, accessToken, refreshToken } = await signIn('snsapi_userinfo');
    const unchanged = {
      openid: profile['openid'],
      refresh_token: refreshToken,
      scope: 'snsapi_base,snsapi_userinfo,',
    };

    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
    const early = await world.client.ask<AccessToken>('refreshAccessToken', refreshToken);
    expect(early.data).toMatchObject({ ...unchanged, access_token: accessToken });
    await world.wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
    const late = await world.client.ask<AccessToken>('refreshAccessToken', refreshToken);
    expect(late.data).toMatchObject(unchanged);
    expect(late.data.access_token).toMatch(/^[\w-]{110}$/);
    expect(late.data.access_token).not.toBe(accessToken);
  });

  it('cannot refresh after 31 days, neither when asked nor by itself', async () => {
    await start();
    const { profile, refreshToken } = await signIn('snsapi_userinfo');
    await world.wechat.advanceTime(31 * DAY_MS);
    await world.client.ask('advanceClock', 31 * DAY_MS);
    const expired = apiError(42002, 'refresh_token expired');

    await expect(world.client.ask('refreshAccessToken', refreshToken)).rejects.toMatchObject(expired);
    await expect(world.client.ask('getUser', profile['openid'])).rejects.toMatchObject(expired);
  });

  it('may not read the profile with a token of a silent sign-in', async () => {
    await start({ grantMemory: false });
    const { openid } = (await signIn('snsapi_base')).profile;

    await expect(world.client.ask('getUser', openid)).rejects.toMatchObject(
      apiError(48001, 'api unauthorized'),
    );
  });
});

import { createWechatEmulator, type WechatEmulator } from '../../src/emulator/index.js';
import { WechatClient } from '../../src/protocol/wechat.client.js';
import { failureOf } from './scripted-wechat.js';

const REDIRECT_URI = 'http://localhost:3000/wechat/callback?t=ticket';

let wechat: WechatEmulator;
let client: WechatClient;
let openid: string;

beforeEach(async () => {
  wechat = await createWechatEmulator({ grantMemory: false });
  client = new WechatClient({
    accounts: wechat.apps,
    openBaseUrl: wechat.openBaseUrl,
    apiBaseUrl: wechat.apiBaseUrl,
    requestTimeoutMs: 5_000,
  });
  openid = wechat.users[0]?.openid ?? '';
});
afterEach(async () => {
  await client.close();
  await wechat.close();
});

/** Opens the authorization URL as WeChat's browser would, agrees if asked, and brings back the code. */
async function authorize(scope: 'base' | 'userinfo'): Promise<string> {
  const url = client.buildAuthorizationUrl({ redirectUri: REDIRECT_URI, scope, state: 'State123' });
  let response = await fetch(url, { redirect: 'manual' });
  if (response.status === 200) {
    const uuid = /name="uuid" value="([^"]+)"/.exec(await response.text())?.[1] ?? '';
    response = await fetch(`${wechat.openBaseUrl}/connect/oauth2/authorize_reply`, {
      method: 'POST',
      body: new URLSearchParams({ allow: '1', snsapi_userinfo: 'on', uuid }),
      redirect: 'manual',
    });
  }
  const callback = new URL(response.headers.get('location') ?? '');
  expect(callback.origin + callback.pathname).toBe('http://localhost:3000/wechat/callback');
  expect(callback.searchParams.get('t')).toBe('ticket');
  expect(callback.searchParams.get('state')).toBe('State123');
  return callback.searchParams.get('code') ?? '';
}

describe('the client and the emulated WeChat', () => {
  it('take a user from consent to profile, and keep the token alive', async () => {
    const granted = await client.authorizationCodeGrant({ code: await authorize('userinfo') });
    expect(granted).toMatchObject({
      openid,
      expiresInMs: 7_200_000,
      scopes: ['snsapi_userinfo'],
      isSnapshotUser: false,
    });

    const profile = await client.fetchUserInfo({ accessToken: granted.accessToken, openid });
    expect(profile).toMatchObject({ openid, nickname: wechat.users[0]?.nickname });
    await expect(client.verifyAccessToken({ accessToken: granted.accessToken, openid })).resolves.toBe(true);

    await wechat.advanceTime(7_300_000);
    await expect(client.verifyAccessToken({ accessToken: granted.accessToken, openid })).resolves.toBe(false);
    const refreshed = await client.refreshTokenGrant({ refreshToken: granted.refreshToken });
    expect(refreshed).toMatchObject({ openid, refreshToken: granted.refreshToken, expiresInMs: 7_200_000 });
    expect(refreshed.accessToken).not.toBe(granted.accessToken);
    expect(refreshed.scopes).toContain('snsapi_userinfo');
    await expect(client.verifyAccessToken({ accessToken: refreshed.accessToken, openid })).resolves.toBe(
      true,
    );
  });

  it('let a silent sign-in learn the openid and nothing more', async () => {
    const granted = await client.authorizationCodeGrant({ code: await authorize('base') });
    expect(granted).toMatchObject({ openid, scopes: ['snsapi_base'] });
    const error = await failureOf(client.fetchUserInfo({ accessToken: granted.accessToken, openid }));
    expect(error).toMatchObject({ errcode: 48001, class: 'consent', retryable: false });
    expect(error.message).toContain('snsapi_userinfo');
  });

  it('take a code once', async () => {
    const code = await authorize('base');
    await client.authorizationCodeGrant({ code });
    const error = await failureOf(client.authorizationCodeGrant({ code }));
    expect(error).toMatchObject({ errcode: 40163, errmsg: 'code been used', class: 'code' });
    expect(error.requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/);
  });

  it('end the former tokens when the user signs in anew', async () => {
    const former = await client.authorizationCodeGrant({ code: await authorize('userinfo') });
    await client.authorizationCodeGrant({ code: await authorize('base') });
    await expect(client.verifyAccessToken({ accessToken: former.accessToken, openid })).resolves.toBe(false);
    expect(await failureOf(client.refreshTokenGrant({ refreshToken: former.refreshToken }))).toMatchObject({
      class: 'token',
    });
  });

  it('end the tokens when the user changes the password', async () => {
    const granted = await client.authorizationCodeGrant({ code: await authorize('userinfo') });
    await wechat.user(openid).changePassword();
    expect(await failureOf(client.refreshTokenGrant({ refreshToken: granted.refreshToken }))).toMatchObject({
      errcode: 42007,
      class: 'token',
    });
    await expect(client.verifyAccessToken({ accessToken: granted.accessToken, openid })).resolves.toBe(false);
  });

  it('tell a virtual user of a snapshot page from a real one', async () => {
    await wechat.user(openid).snapshot();
    const granted = await client.authorizationCodeGrant({ code: await authorize('userinfo') });
    expect(granted.isSnapshotUser).toBe(true);
    expect(granted.openid).not.toBe(openid);
  });

  it('agree on what an answer cut in half is', async () => {
    const granted = await client.authorizationCodeGrant({ code: await authorize('userinfo') });
    await wechat.failNext('refresh', { cut: true });
    expect(await failureOf(client.refreshTokenGrant({ refreshToken: granted.refreshToken }))).toMatchObject({
      code: 'unreachable',
      retryable: true,
    });
  });
});

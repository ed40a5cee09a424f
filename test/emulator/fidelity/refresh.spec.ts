import {
  ACCESS_TOKEN_LIFETIME_MS,
  callAuth,
  callRefresh,
  callUserInfo,
  DAY_MS,
  errcodeOf,
  errorBody,
  refresh,
  signIn,
  startEmulator,
  user,
  type Tokens,
} from '../emulator.harness.js';
import { table } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsrefreshtoken and
// https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Authorized_Interface_Calling_UnionID.md,
// unless a row is not of A.

table('the answer of /sns/oauth2/refresh_token', [
  [
    'B',
    'the keys are openid, access_token, expires_in, refresh_token, scope, in this order, and no unionid',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', unionid: 'oUnion' }] });
      const tokens = await signIn(wechat, 'snsapi_userinfo');
      expect((await callRefresh(wechat, { refresh_token: tokens.refresh_token })).text).toBe(
        `{"openid":"${user(wechat).openid}","access_token":"${tokens.access_token}","expires_in":7200,"refresh_token":"${tokens.refresh_token}","scope":"snsapi_base,snsapi_userinfo,"}`,
      );
    },
  ],
  [
    'A',
    'it needs no secret',
    async () => {
      const wechat = await startEmulator();
      const { refresh_token } = await signIn(wechat, 'snsapi_base');
      expect(errcodeOf(await callRefresh(wechat, { refresh_token }))).toBe(0);
    },
  ],
  [
    'B',
    'once the user has consented, scope is all that was ever granted, with a comma at the end',
    async () => {
      const wechat = await startEmulator();
      await signIn(wechat, 'snsapi_userinfo');
      const silent = await signIn(wechat, 'snsapi_base');
      expect((await refresh(wechat, silent)).scope).toBe('snsapi_base,snsapi_userinfo,');
    },
  ],
  [
    'B',
    'before any consent, scope is snsapi_base, without a comma',
    async () => {
      const wechat = await startEmulator();
      expect((await refresh(wechat, await signIn(wechat, 'snsapi_base'))).scope).toBe('snsapi_base');
    },
  ],
]);

table('the life of tokens', [
  [
    'A',
    'an access token lives 7200 seconds, and answers 42001 from then on',
    async () => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_userinfo');
      await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
      expect(errcodeOf(await callUserInfo(wechat, tokens))).toBe(0);
      await wechat.advanceTime(1);
      expect((await callUserInfo(wechat, tokens)).text).toMatch(
        /^\{"errcode":42001,"errmsg":"access_token expired, rid: /,
      );
    },
  ],
  [
    'A',
    'a refresh gives a living access token another 7200 seconds',
    async () => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_base');
      await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
      await refresh(wechat, tokens);
      await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS - 1);
      expect(errcodeOf(await callAuth(wechat, tokens))).toBe(0);
      await wechat.advanceTime(1);
      expect(errcodeOf(await callAuth(wechat, tokens))).toBe(42001);
    },
  ],
  [
    'A',
    'a refresh after the end gives a new access token, and the old one stays dead',
    async () => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_base');
      await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
      const refreshed = await refresh(wechat, tokens);
      expect(refreshed.access_token).not.toBe(tokens.access_token);
      expect(errcodeOf(await callAuth(wechat, refreshed))).toBe(0);
      expect(errcodeOf(await callAuth(wechat, tokens))).toBe(40001);
    },
  ],
  [
    'B',
    'a refresh answers the same refresh token, before the end of the access token and after',
    async () => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_base');
      expect((await refresh(wechat, tokens)).refresh_token).toBe(tokens.refresh_token);
      await wechat.advanceTime(ACCESS_TOKEN_LIFETIME_MS);
      expect((await refresh(wechat, tokens)).refresh_token).toBe(tokens.refresh_token);
    },
  ],
  [
    'A',
    'a refresh token that is over answers 42002',
    async () => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_base');
      await wechat.advanceTime(30 * DAY_MS);
      expect((await callRefresh(wechat, { refresh_token: tokens.refresh_token })).text).toMatch(
        /^\{"errcode":42002,"errmsg":"refresh_token expired, rid: /,
      );
    },
  ],
  [
    'A',
    "another account's refresh token answers 40030",
    async () => {
      const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's', redirectDomains: ['localhost'] }));
      const wechat = await startEmulator({ apps });
      const { refresh_token } = await signIn(wechat, 'snsapi_base', { appid: 'wx1' });
      expect((await callRefresh(wechat, { appid: 'wx2', refresh_token })).text).toMatch(
        errorBody(40030, 'invalid refresh_token'),
      );
    },
  ],
  [
    'G',
    'an access token is no refresh token, and the other way round',
    async () => {
      const wechat = await startEmulator();
      const { access_token, refresh_token, openid } = await signIn(wechat, 'snsapi_base');
      expect(errcodeOf(await callRefresh(wechat, { refresh_token: access_token }))).toBe(40030);
      expect(errcodeOf(await callAuth(wechat, { access_token: refresh_token, openid }))).toBe(40001);
    },
  ],
]);

table('what a user does meanwhile', [
  [
    'A',
    'after a change of the password both tokens answer 42007, and a new sign-in helps',
    async () => {
      const [wechat, tokens] = await signedIn();
      await wechat.user(tokens.openid).changePassword();
      const text = 'access_token and refresh_token exception';
      expect((await callRefresh(wechat, { refresh_token: tokens.refresh_token })).text).toMatch(
        errorBody(42007, text),
      );
      expect((await callUserInfo(wechat, tokens)).text).toMatch(errorBody(42007, text));
      expect(errcodeOf(await callAuth(wechat, await signIn(wechat, 'snsapi_base')))).toBe(0);
    },
  ],
  [
    'G',
    'following and no longer following leave tokens and consents as they are',
    async () => {
      const [wechat, tokens] = await signedIn();
      await wechat.user(tokens.openid).follow();
      await wechat.user(tokens.openid).unfollow();
      expect(errcodeOf(await callUserInfo(wechat, tokens))).toBe(0);
      expect(errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }))).toBe(0);
    },
  ],
  [
    'A',
    'following and no longer following leave the openid as it is',
    async () => {
      const [wechat, { openid }] = await signedIn();
      await wechat.user(openid).follow();
      expect((await signIn(wechat, 'snsapi_base')).openid).toBe(openid);
      await wechat.user(openid).unfollow();
      expect((await signIn(wechat, 'snsapi_base')).openid).toBe(openid);
    },
  ],
  [
    'G',
    'a refresh for a user who has closed the account answers 50002',
    async () => {
      const [wechat, tokens] = await signedIn();
      await wechat.user(tokens.openid).deregister();
      expect((await callRefresh(wechat, { refresh_token: tokens.refresh_token })).text).toMatch(
        errorBody(50002, 'user limited'),
      );
    },
  ],
  [
    'G',
    'after the consent was withdrawn, a refresh tells of snsapi_base alone',
    async () => {
      const [wechat, tokens] = await signedIn();
      await wechat.user(tokens.openid).withdrawConsent();
      expect((await refresh(wechat, tokens)).scope).toBe('snsapi_base');
    },
  ],
]);

async function signedIn(): Promise<[Awaited<ReturnType<typeof startEmulator>>, Tokens]> {
  const wechat = await startEmulator();
  return [wechat, await signIn(wechat, 'snsapi_userinfo')];
}

import {
  answer,
  askForProfile,
  authorizeUrl,
  codeOf,
  DAY_MS,
  defined,
  errorOn,
  open,
  pathOf,
  REDIRECT_URI,
  signIn,
  startEmulator,
  user,
} from '../emulator.harness.js';
import { table } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html, unless a row is not of A.

table('whom WeChat asks', [
  [
    'A',
    'snsapi_base is silent, whoever it is',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', follows: false }] });
      expect((await open(authorizeUrl(wechat))).status).toBe(302);
      expect((await open(authorizeUrl(wechat, { forcePopup: 'true' }))).status).toBe(302);
    },
  ],
  [
    'A',
    'snsapi_userinfo asks for nickname and avatar, with 拒绝 and 允许',
    async () => {
      const wechat = await startEmulator();
      const { status, text } = await askForProfile(wechat);
      expect(status).toBe(200);
      expect(text).toContain('获取并使用你的昵称、头像');
      expect(text).toMatch(/name="allow" value="0"[^<]*>\s*拒绝/);
      expect(text).toMatch(/name="allow" value="1"[^<]*>\s*允许/);
    },
  ],
  [
    'A',
    'a follower who does not come from the chat is asked',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', follows: true }] });
      expect((await askForProfile(wechat)).status).toBe(200);
    },
  ],
  [
    'A',
    'a follower who comes from the chat or the menu is not asked',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', follows: true }] });
      await wechat.user(user(wechat).openid).openFromChat();
      expect((await askForProfile(wechat)).status).toBe(302);
    },
  ],
  [
    'A',
    'somebody who comes from the chat and does not follow is asked',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', follows: false }] });
      await wechat.user(user(wechat).openid).openFromChat();
      expect((await askForProfile(wechat)).status).toBe(200);
    },
  ],
  [
    'G',
    'each silent snsapi_userinfo begins the 30 days anew',
    async () => {
      const wechat = await startEmulator();
      await signIn(wechat, 'snsapi_userinfo');
      await wechat.advanceTime(30 * DAY_MS - 1);
      expect((await askForProfile(wechat)).status).toBe(302);
      await wechat.advanceTime(30 * DAY_MS - 1);
      expect((await askForProfile(wechat)).status).toBe(302);
    },
  ],
  [
    'A',
    'a consent is that of one user at one account',
    async () => {
      const apps = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's', redirectDomains: ['localhost'] }));
      const wechat = await startEmulator({ apps });
      await signIn(wechat, 'snsapi_userinfo', { appid: 'wx1' });
      expect((await askForProfile(wechat, { appid: 'wx2' })).status).toBe(200);
      await wechat.signInAs(user(wechat, 1).openid);
      expect((await askForProfile(wechat, { appid: 'wx1' })).status).toBe(200);
    },
  ],
  [
    'A',
    'forcePopup=true asks somebody who consented recently',
    async () => {
      const wechat = await startEmulator();
      await signIn(wechat, 'snsapi_userinfo');
      expect((await askForProfile(wechat, { forcePopup: 'true' })).status).toBe(200);
      expect((await askForProfile(wechat, { forcePopup: 'false' })).status).toBe(302);
    },
  ],
  [
    'A',
    'forcePopup=true does not ask a follower who comes from the chat',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', follows: true }] });
      await wechat.user(user(wechat).openid).openFromChat();
      expect((await askForProfile(wechat, { forcePopup: 'true' })).status).toBe(302);
    },
  ],
]);

table('the answer of a consent page', [
  [
    'B',
    'the page is known by a uuid of 16 characters that begins as a code does',
    async () => {
      const wechat = await startEmulator();
      const [one, other] = [uuidOf(await askForProfile(wechat)), uuidOf(await askForProfile(wechat))];
      expect(one).toMatch(/^0\d1[A-Za-z0-9]{13}$/);
      expect(other).not.toBe(one);
    },
  ],
  [
    'B',
    'POST /connect/oauth2/authorize_reply with allow=1 leads back with code and state',
    async () => {
      const wechat = await startEmulator();
      const page = await answer(wechat, await askForProfile(wechat), '1');
      expect([page.status, pathOf(page)]).toEqual([302, `${REDIRECT_URI}&code=CODE&state=abc123`]);
    },
  ],
  [
    'B',
    'GET of it leads back as well, with uin, key, pass_ticket and version behind',
    async () => {
      const wechat = await startEmulator();
      const page = await reply(
        wechat,
        `allow=1&snsapi_userinfo=on&uuid=${uuidOf(await askForProfile(wechat))}&uin=MTI&key=abc&pass_ticket=x&version=1`,
      );
      expect([page.status, pathOf(page)]).toEqual([302, `${REDIRECT_URI}&code=CODE&state=abc123`]);
    },
  ],
  [
    'G',
    'a page is answered once',
    async () => {
      const wechat = await startEmulator();
      const page = await askForProfile(wechat);
      await answer(wechat, page, '1');
      expect(errorOn(await answer(wechat, page, '1'))).toEqual(['该链接无法访问']);
    },
  ],
  [
    'G',
    'a page that never was cannot be answered',
    async () => {
      const wechat = await startEmulator();
      expect(errorOn(await reply(wechat, 'allow=1&snsapi_userinfo=on&uuid=081zeCl93yctHa1G'))).toEqual([
        '该链接无法访问',
      ]);
    },
  ],
  [
    'G',
    'a refusal is no consent: the next request asks again',
    async () => {
      const wechat = await startEmulator();
      await answer(wechat, await askForProfile(wechat), '0');
      expect((await askForProfile(wechat)).status).toBe(200);
    },
  ],
]);

table('a code', [
  [
    'B',
    'a code has 32 characters: 0, a digit, 1, and four that come again at 28 to 31',
    async () => {
      const wechat = await startEmulator();
      const codes = await Promise.all(
        Array.from({ length: 9 }, async () => codeOf(await open(authorizeUrl(wechat)))),
      );
      for (const code of codes) expect(code).toMatch(/^0\d1([A-Za-z0-9]{4})[A-Za-z0-9]{20}\1[A-Za-z0-9]$/);
      expect(new Set(codes).size).toBe(codes.length);
    },
  ],
]);

function uuidOf(page: { text: string }): string {
  return defined(/name="uuid" value="([^"]+)"/.exec(page.text)?.[1]);
}

function reply(wechat: { openBaseUrl: string }, query: string) {
  return open(`${wechat.openBaseUrl}/connect/oauth2/authorize_reply?${query}`);
}

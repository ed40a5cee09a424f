import { request } from 'undici';
import type { WechatEmulator, WechatEmulatorOptions } from '../../../src/emulator/index.js';
import {
  answer,
  askForProfile,
  authorizeUrl,
  callToken,
  callUserInfo,
  codeOf,
  defined,
  open,
  pathOf,
  REDIRECT_URI,
  signIn,
  startEmulator,
  user,
  type Page,
  type Tokens,
} from '../emulator.harness.js';
import { table } from './fidelity.table.js';

// https://developers.weixin.qq.com/community/develop/doc/000c2c34068880629ced91a2f56001, unless a row is not of A.

const BOUND: WechatEmulatorOptions = { users: [{ nickname: '赵', unionid: 'oUnion' }] };
/** What browsers send when a page was opened without and with somebody's click. */
const BY_ITSELF = { 'sec-fetch-mode': 'navigate' };
const BY_A_CLICK = { 'sec-fetch-mode': 'navigate', 'sec-fetch-user': '?1' };

table('a snapshot page (快照页)', [
  [
    'A',
    'it is shown without asking, and goes back with a code and the state',
    async () => {
      const page = await askForProfile(await onSnapshotPages());
      expect([page.status, pathOf(page)]).toEqual([302, `${REDIRECT_URI}&code=CODE&state=abc123`]);
    },
  ],
  [
    'A',
    'is_snapshotuser is 1, the number, at the end of the token answer, behind the unionid',
    async () => {
      const { text } = await exchange(await onSnapshotPages(BOUND));
      expect(text).toMatch(/"scope":"snsapi_userinfo","unionid":"o[\w-]{27}","is_snapshotuser":1\}$/);
    },
  ],
  [
    'A',
    'the token answer of a real user has no is_snapshotuser',
    async () =>
      expect(await signIn(await startEmulator(), 'snsapi_userinfo')).not.toHaveProperty('is_snapshotuser'),
  ],
  [
    'B',
    'is_snapshotuser is not in the profile',
    async () => {
      const wechat = await onSnapshotPages();
      expect((await callUserInfo(wechat, await virtualUser(wechat))).text).not.toContain('is_snapshotuser');
    },
  ],
  [
    'A',
    'openid and unionid are virtual, and look like real ones',
    async () => {
      const { openid, unionid } = await virtualUser(await onSnapshotPages(BOUND));
      expect([openid, unionid]).toEqual(Array(2).fill(expect.stringMatching(/^o[\w-]{27}$/)));
      expect(unionid).not.toBe('oUnion');
    },
  ],
  [
    'A',
    'the virtual openid is that of no user',
    async () => {
      const wechat = await onSnapshotPages();
      const { openid } = await virtualUser(wechat);
      expect(wechat.users.map((each) => each.openid)).not.toContain(openid);
    },
  ],
  [
    'A',
    'nickname and avatar are virtual',
    async () => {
      const wechat = await onSnapshotPages();
      const { text } = await callUserInfo(wechat, await virtualUser(wechat));
      expect(text).toContain('"nickname":"微信用户"');
      expect(text).toContain('"headimgurl":""');
    },
  ],
  [
    'B',
    'each snapshot page has another virtual user',
    async () => {
      const wechat = await onSnapshotPages();
      expect((await virtualUser(wechat)).openid).not.toBe((await virtualUser(wechat)).openid);
    },
  ],
  [
    'C',
    'virtual users share a virtual unionid',
    async () => {
      const wechat = await onSnapshotPages(BOUND);
      expect((await virtualUser(wechat)).unionid).toBe((await virtualUser(wechat)).unionid);
    },
  ],
  [
    'A',
    'a virtual user has no unionid at an account that is bound to no open platform account',
    async () => expect(await virtualUser(await onSnapshotPages())).not.toHaveProperty('unionid'),
  ],
  [
    'A',
    '使用完整服务 leads to the consent, and back with the same state and a code of the real user',
    async () => {
      const wechat = await onSnapshotPages();
      await virtualUser(wechat);
      const page = await answer(wechat, await useFullService(wechat), '1');
      expect(pathOf(page)).toBe(`${REDIRECT_URI}&code=CODE&state=abc123`);
      const { text } = await callToken(wechat, { code: codeOf(page) });
      expect(JSON.parse(text)).toMatchObject({ openid: user(wechat).openid, scope: 'snsapi_userinfo' });
      expect(text).not.toContain('is_snapshotuser');
    },
  ],
  [
    'A',
    'forcePopup=true asks instead of showing one',
    async () => {
      const wechat = await onSnapshotPages();
      expect((await askForProfile(wechat, { forcePopup: 'true' })).status).toBe(200);
    },
  ],
  [
    'A',
    'snsapi_base never opens as one',
    async () => {
      const wechat = await onSnapshotPages();
      const tokens = await signIn(wechat, 'snsapi_base');
      expect([tokens.openid, tokens.is_snapshotuser]).toEqual([user(wechat).openid, undefined]);
    },
  ],
]);

table('when a page opens as a snapshot page', [
  [
    'A',
    'forceSnapShot=true opens one',
    async () =>
      expect((await askForProfile(await startEmulator(), { forceSnapShot: 'true' })).status).toBe(302),
  ],
  [
    'A',
    'forceSnapShot=false opens none',
    async () =>
      expect((await askForProfile(await startEmulator(), { forceSnapShot: 'false' })).status).toBe(200),
  ],
  [
    'A',
    'forceSnapShot=true does nothing for somebody who consented recently',
    async () => {
      const wechat = await startEmulator();
      await signIn(wechat, 'snsapi_userinfo');
      expect((await virtualUser(wechat, { forceSnapShot: 'true' })).is_snapshotuser).toBeUndefined();
    },
  ],
  [
    'A',
    'forceSnapShot=true does nothing for a follower who comes from the chat',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', follows: true }] });
      await wechat.user(user(wechat).openid).openFromChat();
      expect((await virtualUser(wechat, { forceSnapShot: 'true' })).is_snapshotuser).toBeUndefined();
    },
  ],
  [
    'A',
    'a userinfo request that no click led to opens as one (snapshotWithoutGesture)',
    async () => {
      const wechat = await startEmulator({ snapshotWithoutGesture: true });
      expect((await askForProfileBy(wechat, BY_ITSELF)).status).toBe(302);
    },
  ],
  [
    'A',
    'a userinfo request that a click led to asks (snapshotWithoutGesture)',
    async () => {
      const wechat = await startEmulator({ snapshotWithoutGesture: true });
      expect((await askForProfileBy(wechat, BY_A_CLICK)).status).toBe(200);
    },
  ],
  [
    'C',
    'it is not each such request that opens as one: without snapshotWithoutGesture it asks',
    async () => expect((await askForProfileBy(await startEmulator(), BY_ITSELF)).status).toBe(200),
  ],
]);

async function onSnapshotPages(options: WechatEmulatorOptions = {}): Promise<WechatEmulator> {
  const wechat = await startEmulator(options);
  await wechat.user(user(wechat).openid).snapshot();
  return wechat;
}

async function exchange(wechat: WechatEmulator, changes: Record<string, string> = {}): Promise<Page> {
  return callToken(wechat, { code: codeOf(await askForProfile(wechat, changes)) });
}

async function virtualUser(wechat: WechatEmulator, changes: Record<string, string> = {}): Promise<Tokens> {
  return JSON.parse((await exchange(wechat, changes)).text) as Tokens;
}

/** The button that WeChat shows below a snapshot page is on the emulator's start page. */
async function useFullService(wechat: WechatEmulator): Promise<Page> {
  const [, href] = /href="([^"]+)"\s*>使用完整服务/.exec((await open(wechat.url)).text) ?? [];
  return open(wechat.url + defined(href).replaceAll('&#38;', '&'));
}

// Not by fetch, which writes these headers itself.
async function askForProfileBy(
  wechat: WechatEmulator,
  headers: Record<string, string>,
): Promise<{ status: number }> {
  const { statusCode, body } = await request(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }), { headers });
  await body.dump();
  return { status: statusCode };
}

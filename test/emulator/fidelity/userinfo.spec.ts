import type { WechatEmulatorUserOptions } from '../../../src/emulator/index.js';
import {
  askForProfile,
  authorizeUrl,
  callAuth,
  callSns,
  callUserInfo,
  errcodeOf,
  errorBody,
  errorOn,
  open,
  signIn,
  startEmulator,
  user,
  type Tokens,
} from '../emulator.harness.js';
import { table, type Fact } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo and its neighbour api_snsauth, unless a
// row is not of A.

const AVATAR_SIZES = [
  [0, 640],
  [46, 46],
  [64, 64],
  [96, 96],
  [132, 132],
] as const;

table('the answer of /sns/userinfo', [
  [
    'B',
    'the keys are openid, nickname, sex, language, city, province, country, headimgurl, privilege, in this order, with \\/ for slashes',
    async () => {
      const headimgurl = 'https://thirdwx.qlogo.cn/mmopen/vi_32/abc/132';
      const [text, tokens] = await profileOf({ nickname: '恩爸', headimgurl });
      expect(text).toBe(
        `{"openid":"${tokens.openid}","nickname":"恩爸","sex":0,"language":"","city":"","province":"","country":"","headimgurl":"https:\\/\\/thirdwx.qlogo.cn\\/mmopen\\/vi_32\\/abc\\/132","privilege":[]}`,
      );
    },
  ],
  [
    'A',
    'since 2021-10-20 sex is 0, and language, city, province and country are empty, whatever lang asks',
    async () => {
      const wechat = await startEmulator();
      const { access_token, openid } = await signIn(wechat, 'snsapi_userinfo');
      const empty = '"sex":0,"language":"","city":"","province":"","country":""';
      for (const lang of [undefined, 'zh_CN', 'zh_TW', 'en']) {
        expect((await callSns(wechat, 'userinfo', { access_token, openid, lang })).text).toContain(empty);
      }
    },
  ],
  [
    'A',
    'unionid comes last, if the account is bound to an open platform account',
    async () => {
      const [text] = await profileOf({ nickname: '赵', unionid: 'oUnion', headimgurl: '' });
      expect(text).toMatch(/"privilege":\[\],"unionid":"oUnion"\}$/);
    },
  ],
  [
    'A',
    'privilege lists what a user has, such as chinaunicom',
    async () => {
      const [text] = await profileOf({ nickname: '赵', privilege: ['chinaunicom'] });
      expect(text).toMatch(/"privilege":\["chinaunicom"\]\}$/);
    },
  ],
  [
    'A',
    'headimgurl is empty for a user without an avatar',
    async () => {
      const [text] = await profileOf({ nickname: '赵', headimgurl: '' });
      expect(text).toContain('"headimgurl":""');
    },
  ],
  [
    'A',
    'headimgurl ends in 132, and what it leads to is a picture',
    async () => {
      const wechat = await startEmulator();
      const avatar = await open(user(wechat).headimgurl);
      expect(user(wechat).headimgurl).toMatch(/\/mmopen\/vi_32\/[\w-]+\/132$/);
      expect(avatar.headers.get('content-type')).toBe('image/svg+xml');
      expect(avatar.text).toMatch(/>\s*林\s*<\/text>/);
    },
  ],
  ...AVATAR_SIZES.map(([size, pixels]): Fact => [
    'A',
    `an avatar comes in the size ${String(size)}, of ${String(pixels)} pixels`,
    async () => {
      const wechat = await startEmulator();
      const avatar = await open(user(wechat).headimgurl.replace(/132$/, String(size)));
      expect(avatar.text).toMatch(new RegExp(`width="${String(pixels)}"\\s+height="${String(pixels)}"`));
    },
  ]),
  [
    'A',
    'an avatar comes in no other size',
    async () => {
      const wechat = await startEmulator();
      expect((await open(user(wechat).headimgurl.replace(/132$/, '133'))).status).toBe(404);
    },
  ],
  [
    'B',
    'emoji in a nickname are UTF-8 as it is, not escaped',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '👨‍👩‍👧🌈' }] });
      expect(await bytesOf(wechat)).toContain(Buffer.from('"nickname":"👨‍👩‍👧🌈"').toString('latin1'));
    },
  ],
  [
    'B',
    'a nickname may be broken UTF-8, which comes as it is (nicknameBytes)',
    async () => {
      const nicknameBytes = Buffer.from([0xe5, 0xb0, 0x8f, 0xe6, 0xbb]);
      const wechat = await startEmulator({ users: [{ nickname: '小满', nicknameBytes }] });
      expect(await bytesOf(wechat)).toContain(`"nickname":"${nicknameBytes.toString('latin1')}"`);
    },
  ],
  [
    'B',
    'a nickname may hold control characters that JSON does not allow (nicknameBytes)',
    async () => {
      const nicknameBytes = Buffer.from('a\u0007\nb');
      const wechat = await startEmulator({ users: [{ nickname: 'ab', nicknameBytes }] });
      expect(await bytesOf(wechat)).toContain('"nickname":"a\u0007\nb"');
    },
  ],
  [
    'C',
    'the nickname of a closed account is 用户已经注销',
    async () => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_userinfo');
      await wechat.user(tokens.openid).deregister();
      expect((await callUserInfo(wechat, tokens)).text).toContain('"nickname":"用户已经注销"');
    },
  ],
  [
    'G',
    'who has closed the account cannot sign in any more',
    async () => {
      const wechat = await startEmulator();
      await wechat.user(user(wechat).openid).deregister();
      expect(errorOn(await open(authorizeUrl(wechat)))).toEqual(['用户已经注销']);
    },
  ],
]);

table('what a token may read', [
  [
    'A',
    'a token of snsapi_base, of a user who never consented, answers 48001',
    async () => {
      const wechat = await startEmulator();
      expect((await callUserInfo(wechat, await signIn(wechat, 'snsapi_base'))).text).toMatch(
        errorBody(48001, 'api unauthorized'),
      );
    },
  ],
  [
    'A',
    'the openid of somebody else answers 40003, at /sns/userinfo and /sns/auth',
    async () => {
      const wechat = await startEmulator();
      const tokens = await signIn(wechat, 'snsapi_userinfo');
      const foreign = { ...tokens, openid: user(wechat, 1).openid };
      expect((await callUserInfo(wechat, foreign)).text).toMatch(errorBody(40003, 'invalid openid'));
      expect((await callAuth(wechat, foreign)).text).toMatch(errorBody(40003, 'invalid openid'));
    },
  ],
  [
    'G',
    'after a withdrawal WeChat asks again, and then the profile is read again',
    async () => {
      const wechat = await startEmulator();
      await signIn(wechat, 'snsapi_userinfo');
      await wechat.user(user(wechat).openid).withdrawConsent();
      expect((await askForProfile(wechat)).status).toBe(200);
      expect(errcodeOf(await callUserInfo(wechat, await signIn(wechat, 'snsapi_userinfo')))).toBe(0);
    },
  ],
  [
    'G',
    'after a withdrawal a new token of snsapi_base answers 48001',
    async () => {
      const wechat = await startEmulator();
      await signIn(wechat, 'snsapi_userinfo');
      await wechat.user(user(wechat).openid).withdrawConsent();
      expect(errcodeOf(await callUserInfo(wechat, await signIn(wechat, 'snsapi_base')))).toBe(48001);
    },
  ],
]);

table('the answer of /sns/auth', [
  [
    'A',
    'a living token is {"errcode":0,"errmsg":"ok"}, without a rid, whatever its scope',
    async () => {
      const wechat = await startEmulator();
      for (const scope of ['snsapi_base', 'snsapi_userinfo'] as const) {
        const { text } = await callAuth(wechat, await signIn(wechat, scope));
        expect(text).toBe('{"errcode":0,"errmsg":"ok"}');
      }
    },
  ],
]);

async function profileOf(person: WechatEmulatorUserOptions): Promise<[text: string, tokens: Tokens]> {
  const wechat = await startEmulator({ users: [person] });
  const tokens = await signIn(wechat, 'snsapi_userinfo');
  return [(await callUserInfo(wechat, tokens)).text, tokens];
}

/** @returns the body of a profile, a character for each byte. */
async function bytesOf(wechat: Awaited<ReturnType<typeof startEmulator>>): Promise<string> {
  const { access_token, openid } = await signIn(wechat, 'snsapi_userinfo');
  const query = new URLSearchParams({ access_token, openid });
  const response = await fetch(`${wechat.apiBaseUrl}/sns/userinfo?${String(query)}`);
  return Buffer.from(await response.arrayBuffer()).toString('latin1');
}

import {
  authorize,
  authorizeUrl,
  callAuth,
  callRefresh,
  callToken,
  codeOf,
  errcodeOf,
  errorBody,
  MINUTE_MS,
  open,
  signIn,
  startEmulator,
  user,
} from '../emulator.harness.js';
import { table } from './fidelity.table.js';

// https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken, unless a row is not of A.

const TOKEN = '"\\d+_[A-Za-z0-9_-]+"';
const TWO_APPS = ['wx1', 'wx2'].map((appId) => ({ appId, appSecret: 's', redirectDomains: ['localhost'] }));

table('the answer of /sns/oauth2/access_token', [
  [
    'B',
    'the keys are access_token, expires_in, refresh_token, openid, scope, in this order',
    async () => {
      const wechat = await startEmulator();
      const { text } = await callToken(wechat, { code: await authorize(wechat, 'snsapi_base') });
      expect(text).toMatch(
        new RegExp(
          `^\\{"access_token":${TOKEN},"expires_in":7200,"refresh_token":${TOKEN},"openid":"${user(wechat).openid}","scope":"snsapi_base"\\}$`,
        ),
      );
    },
  ],
  [
    'B',
    'scope is the one that was asked for, without a comma',
    async () => {
      const wechat = await startEmulator();
      expect((await signIn(wechat, 'snsapi_userinfo')).scope).toBe('snsapi_userinfo');
      expect((await signIn(wechat, 'snsapi_base')).scope).toBe('snsapi_base');
    },
  ],
  [
    'A',
    'unionid follows at the end of an answer to snsapi_userinfo, if the account is bound to an open platform account',
    async () => {
      const wechat = await startEmulator({ users: [{ nickname: '赵', unionid: 'oUnion' }] });
      const { text } = await callToken(wechat, { code: await authorize(wechat, 'snsapi_userinfo') });
      expect(text).toMatch(/"scope":"snsapi_userinfo","unionid":"oUnion"\}$/);
    },
  ],
  [
    'A',
    'there is no unionid if it is not',
    async () => {
      const wechat = await startEmulator();
      expect(await signIn(wechat, 'snsapi_userinfo')).not.toHaveProperty('unionid');
    },
  ],
  [
    'B',
    'tokens have 110 characters of [A-Za-z0-9_-], behind a number that grows with time',
    async () => {
      const wechat = await startEmulator({ now: new Date('2024-08-01') });
      const [former, later] = [await signIn(wechat, 'snsapi_base'), await signIn(wechat, 'snsapi_base')];
      await wechat.advanceTime(365 * 24 * 60 * MINUTE_MS);
      const tokens = [former, later, await signIn(wechat, 'snsapi_base')].flatMap((each) => [
        each.access_token,
        each.refresh_token,
      ]);
      for (const token of tokens) expect(token).toMatch(/^(?=.{110}$)\d+_[A-Za-z0-9_-]+$/);
      expect(tokens.map((token) => parseInt(token, 10))).toEqual([83, 83, 83, 83, 94, 94]);
      expect(new Set(tokens).size).toBe(6);
    },
  ],
  [
    'B',
    'an openid has 28 characters and begins with o',
    async () => {
      const wechat = await startEmulator();
      expect((await signIn(wechat, 'snsapi_base')).openid).toMatch(/^o[A-Za-z0-9_-]{27}$/);
    },
  ],
  [
    'A',
    'a user has one openid at an account, always, and another at each other account',
    async () => {
      const wechat = await startEmulator({ apps: TWO_APPS });
      const [first, again, other] = [
        await openidAt(wechat, 'wx1'),
        await openidAt(wechat, 'wx1'),
        await openidAt(wechat, 'wx2'),
      ];
      expect(again).toBe(first);
      expect(other).not.toBe(first);
      expect(other).toMatch(/^o[A-Za-z0-9_-]{27}$/);
    },
  ],
  [
    'A',
    'a user has one unionid across accounts',
    async () => {
      const wechat = await startEmulator({ apps: TWO_APPS, users: [{ nickname: '赵', unionid: 'oUnion' }] });
      for (const appid of ['wx1', 'wx2']) {
        const code = await authorize(wechat, 'snsapi_userinfo', { appid });
        expect((await callToken(wechat, { appid, code })).text).toContain('"unionid":"oUnion"');
      }
    },
  ],
]);

table('what becomes of a code', [
  [
    'A',
    'a code is exchanged once, and answers 40163 from then on',
    async () => {
      const wechat = await startEmulator();
      const code = await authorize(wechat, 'snsapi_base');
      expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
      expect((await callToken(wechat, { code })).text).toMatch(errorBody(40163, 'code been used'));
    },
  ],
  [
    'C',
    'a code whose time is over answers 40029, not 42003',
    async () => {
      const wechat = await startEmulator();
      const code = await authorize(wechat, 'snsapi_base');
      await wechat.advanceTime(5 * MINUTE_MS);
      expect((await callToken(wechat, { code })).text).toMatch(
        /^\{"errcode":40029,"errmsg":"invalid code, rid: /,
      );
    },
  ],
  [
    'C',
    'a used code answers 40029 hours later',
    async () => {
      const wechat = await startEmulator();
      const code = await authorize(wechat, 'snsapi_base');
      await callToken(wechat, { code });
      await wechat.advanceTime(3 * 60 * MINUTE_MS);
      expect(errcodeOf(await callToken(wechat, { code }))).toBe(40029);
    },
  ],
  [
    'C',
    'a code in lower case is another one: 40029',
    async () => {
      const wechat = await startEmulator();
      const code = await authorize(wechat, 'snsapi_base');
      expect(errcodeOf(await callToken(wechat, { code: code.toLowerCase() }))).toBe(40029);
      expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
    },
  ],
  [
    'B',
    "another account's code answers 40029",
    async () => {
      const wechat = await startEmulator({ apps: TWO_APPS });
      const code = await authorize(wechat, 'snsapi_base', { appid: 'wx1' });
      expect(errcodeOf(await callToken(wechat, { appid: 'wx2', code }))).toBe(40029);
    },
  ],
  [
    'G',
    'a wrong secret leaves a code alone',
    async () => {
      const wechat = await startEmulator();
      const code = await authorize(wechat, 'snsapi_base');
      expect(errcodeOf(await callToken(wechat, { code, secret: 'wrong' }))).toBe(40125);
      expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
    },
  ],
  [
    'G',
    'a second code does not end the first one',
    async () => {
      const wechat = await startEmulator();
      const codes = [await authorize(wechat, 'snsapi_base'), await authorize(wechat, 'snsapi_base')];
      for (const code of codes) expect(errcodeOf(await callToken(wechat, { code }))).toBe(0);
    },
  ],
  [
    'B',
    'a system error of the exchange (by a fault) is -1 system error',
    async () => {
      const wechat = await startEmulator();
      await wechat.failNext('token', { errcode: -1 });
      expect((await callToken(wechat, {})).text).toMatch(errorBody(-1, 'system error'));
    },
  ],
]);

table('one live pair for a user at an account', [
  [
    'B',
    'an authorization ends the pair before: its access token answers 40001',
    async () => {
      const wechat = await startEmulator();
      const former = await signIn(wechat, 'snsapi_base');
      await signIn(wechat, 'snsapi_base');
      expect((await callAuth(wechat, former)).text).toMatch(
        errorBody(40001, 'invalid credential, access_token is invalid or not latest'),
      );
    },
  ],
  [
    'B',
    'a login of snsapi_base ends a pair of snsapi_userinfo, both of its tokens',
    async () => {
      const wechat = await startEmulator();
      const former = await signIn(wechat, 'snsapi_userinfo');
      await signIn(wechat, 'snsapi_base');
      expect(errcodeOf(await callAuth(wechat, former))).toBe(40001);
      expect(errcodeOf(await callRefresh(wechat, { refresh_token: former.refresh_token }))).not.toBe(0);
    },
  ],
  [
    'G',
    'the exchange ends the pair before, not the code',
    async () => {
      const wechat = await startEmulator();
      const former = await signIn(wechat, 'snsapi_base');
      codeOf(await open(authorizeUrl(wechat)));
      expect(errcodeOf(await callAuth(wechat, former))).toBe(0);
    },
  ],
  [
    'B',
    'pairs of other users and at other accounts live on',
    async () => {
      const wechat = await startEmulator({ apps: TWO_APPS });
      const former = await signIn(wechat, 'snsapi_base', { appid: 'wx1' });
      await callToken(wechat, {
        appid: 'wx2',
        code: await authorize(wechat, 'snsapi_base', { appid: 'wx2' }),
      });
      await wechat.signInAs(user(wechat, 1).openid);
      await signIn(wechat, 'snsapi_base', { appid: 'wx1' });
      expect(errcodeOf(await callAuth(wechat, former))).toBe(0);
    },
  ],
]);

async function openidAt(wechat: Awaited<ReturnType<typeof startEmulator>>, appid: string): Promise<string> {
  const code = await authorize(wechat, 'snsapi_base', { appid });
  const { openid } = JSON.parse((await callToken(wechat, { appid, code })).text) as { openid: string };
  return openid;
}

import type { WechatEmulatorOptions, WechatEmulatorVariants } from '../../../src/emulator/index.js';
import {
  askForProfile,
  callToken,
  callUserInfo,
  codeOf,
  DAY_MS,
  errcodeOf,
  errorBody,
  signIn,
  startEmulator,
  user,
  type Page,
  type Tokens,
} from '../emulator.harness.js';
import type { Fact } from './fidelity.table.js';

/** Both sides of each option about what an application is told. The first row of each is the default. */
export const ANSWER_VARIANTS = {
  grantMemory: [
    [
      'C, CONFLICT',
      'true: a token of snsapi_base reads the profile for 30 days after a consent',
      async () => {
        const wechat = await startEmulator();
        await signIn(wechat, 'snsapi_userinfo');
        await wechat.advanceTime(30 * DAY_MS - 1);
        const silent = await signIn(wechat, 'snsapi_base');
        expect(errcodeOf(await callUserInfo(wechat, silent))).toBe(0);
        await wechat.advanceTime(1);
        expect(errcodeOf(await callUserInfo(wechat, silent))).toBe(48001);
      },
    ],
    [
      'A, CONFLICT',
      'false: it answers 48001, whoever consented',
      async () => {
        const wechat = await startEmulator({ grantMemory: false });
        await signIn(wechat, 'snsapi_userinfo');
        const silent = await signIn(wechat, 'snsapi_base');
        expect(errcodeOf(await callUserInfo(wechat, silent))).toBe(48001);
      },
    ],
  ],
  looseOpenid: [
    [
      'A, CONFLICT',
      'false: /sns/userinfo wants the openid of the token, else 40003',
      async () => expect(errcodeOf(await readWithBlankOpenid({}))).toBe(40003),
    ],
    [
      'C, CONFLICT',
      'true: any openid that is not empty reads the profile, also a blank',
      async () => {
        const { text } = await readWithBlankOpenid({ looseOpenid: true });
        expect(text).toMatch(/^\{"openid":"o[\w-]{27}","nickname":"林小满"/);
      },
    ],
    [
      'C',
      'true: an empty openid answers 41009 even so',
      async () => {
        const wechat = await startEmulator({ looseOpenid: true });
        const tokens = await signIn(wechat, 'snsapi_userinfo');
        expect(errcodeOf(await callUserInfo(wechat, { ...tokens, openid: '' }))).toBe(41009);
      },
    ],
  ],
  withdrawnConsent: [
    [
      'G',
      '50001: so /sns/userinfo answers after the consent was withdrawn',
      async () => expect((await readWithdrawn({})).text).toMatch(errorBody(50001, '用户未授权该api')),
    ],
    [
      'G',
      '48001: or so',
      async () =>
        expect((await readWithdrawn({ withdrawnConsent: 48001 })).text).toMatch(
          errorBody(48001, 'api unauthorized'),
        ),
    ],
  ],
  unionidInTokenAnswer: [
    [
      'A, CONFLICT',
      'userinfo: unionid comes with snsapi_userinfo alone',
      async () => expect(await whoseUnionidComes({})).toEqual({ follower: false, other: false }),
    ],
    [
      'C, CONFLICT',
      'followers: it comes with snsapi_base too, for followers',
      async () =>
        expect(await whoseUnionidComes({ unionidInTokenAnswer: 'followers' })).toEqual({
          follower: true,
          other: false,
        }),
    ],
    [
      'C, CONFLICT',
      'always: it comes with snsapi_base too, for all',
      async () =>
        expect(await whoseUnionidComes({ unionidInTokenAnswer: 'always' })).toEqual({
          follower: true,
          other: true,
        }),
    ],
  ],
  scopeInTokenAnswer: [
    [
      'B, CONFLICT',
      'true: the answer of the exchange has scope',
      async () => expect(await signIn(await startEmulator(), 'snsapi_base')).toHaveProperty('scope'),
    ],
    [
      'A, CONFLICT',
      'false: it has none, as the newest page has it',
      async () => {
        const wechat = await startEmulator({ scopeInTokenAnswer: false });
        expect(await signIn(wechat, 'snsapi_base')).not.toHaveProperty('scope');
      },
    ],
  ],
  snapshotFlag: [
    [
      'A',
      'true: the exchange of a snapshot page says is_snapshotuser',
      async () => expect((await virtualUser({})).tokens.is_snapshotuser).toBe(1),
    ],
    [
      'C',
      'false: it is missing at times',
      async () =>
        expect((await virtualUser({ snapshotFlag: false })).tokens).not.toHaveProperty('is_snapshotuser'),
    ],
  ],
  snapshotProfile: [
    [
      'A, CONFLICT',
      'virtual: the token of a snapshot page reads a virtual profile',
      async () => expect((await virtualUser({})).profile.text).toContain('"nickname":"微信用户"'),
    ],
    [
      'C, CONFLICT',
      '48001: it reads none, as in August 2022',
      async () =>
        expect((await virtualUser({ snapshotProfile: 48001 })).profile.text).toMatch(
          errorBody(48001, 'api unauthorized'),
        ),
    ],
  ],
  requestIdStyle: [
    [
      'B',
      'rid: an errmsg ends in a rid since about 2020',
      async () =>
        expect((await callToken(await startEmulator(), {})).text).toMatch(
          /"errmsg":"invalid code, rid: [0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}"\}$/,
        ),
    ],
    [
      'B',
      'hints: before, it ended in a req_id',
      async () =>
        expect((await callToken(await startEmulator({ requestIdStyle: 'hints' }), {})).text).toMatch(
          /"errmsg":"invalid code, hints: \[ req_id: \w{13} \]"\}$/,
        ),
    ],
  ],
} satisfies Partial<Record<keyof WechatEmulatorVariants, readonly Fact[]>>;

async function readWithBlankOpenid(options: WechatEmulatorOptions): Promise<Page> {
  const wechat = await startEmulator(options);
  return callUserInfo(wechat, { ...(await signIn(wechat, 'snsapi_userinfo')), openid: ' ' });
}

async function readWithdrawn(options: WechatEmulatorOptions): Promise<Page> {
  const wechat = await startEmulator(options);
  const tokens = await signIn(wechat, 'snsapi_userinfo');
  await wechat.user(tokens.openid).withdrawConsent();
  return callUserInfo(wechat, tokens);
}

/** @returns for whom an answer to snsapi_base has a unionid. */
async function whoseUnionidComes(options: WechatEmulatorOptions): Promise<Record<string, boolean>> {
  const users = [
    { nickname: '赵', unionid: 'oUnion1', follows: true },
    { nickname: '钱', unionid: 'oUnion2', follows: false },
  ];
  const wechat = await startEmulator({ users, ...options });
  const follower = await signIn(wechat, 'snsapi_base');
  await wechat.signInAs(user(wechat, 1).openid);
  const other = await signIn(wechat, 'snsapi_base');
  return { follower: follower.unionid === 'oUnion1', other: other.unionid === 'oUnion2' };
}

async function virtualUser(options: WechatEmulatorOptions): Promise<{ tokens: Tokens; profile: Page }> {
  const wechat = await startEmulator(options);
  await wechat.user(user(wechat).openid).snapshot();
  const page = await callToken(wechat, { code: codeOf(await askForProfile(wechat)) });
  const tokens = JSON.parse(page.text) as Tokens;
  return { tokens, profile: await callUserInfo(wechat, tokens) };
}

import type { ResolvedWechatAuthOptions, WechatAccount } from '../common/options.js';
import { parseUrl } from '../common/parsed-url.js';
import type { PublicUrl } from '../common/public-url.js';
import type { WechatRandomness } from '../common/randomness.js';
import type { WechatScope, WechatUserInfo } from '../common/wechat-user.js';
import { CONSENT_LIFETIME_MS } from '../grants/grant.times.js';
import { refuse } from './argument.refusal.js';
import type { ModuleParts } from './module.parts.js';
import { checkSignInOptions } from './sign-in.check.js';

/** As long as the module itself knows the virtual user of a snapshot page, in milliseconds. */
const SNAPSHOT_SESSION_MS = 10 * 60 * 1000;

const OPENID_BYTES = 20;

/** `ended` ends now, by the application's `WechatClock`; with `expiresAt`, in the past or in the future. */
export type SignInLifetime = 'live' | 'ended' | { expiresAt: Date };

/** Who signs in, and with what. All may be left out. */
export interface SignInWechatUserOptions {
  /** App id of the account to sign in to. Default: the first one. */
  appId?: string;
  /** Default: a new one for each call, so that tests do not meet each other's users. */
  openid?: string;
  /** Default: none, as for most accounts. */
  unionid?: string;
  /**
   * What WeChat was asked for last. Default: `'userinfo'` if a `userInfo` or a `consent` is given, else `'base'`.
   *
   * @see https://developers.weixin.qq.com/doc/service/guide/h5/auth.html
   */
  scope?: WechatScope;
  /**
   * What the user's profile says; what is left out takes a default. `null`: WeChat failed to give the profile, and
   * it is owed. Default, if there is a consent: a profile.
   */
  userInfo?: Partial<Omit<WechatUserInfo, 'openid' | 'unionid'>> | null;
  /**
   * The consent to give the profile. It lasts 30 days, so `expiresAt` is at most that far ahead. With the scope
   * `base` it is one that the user gave earlier. Default: `'live'` for `userinfo`; for `base` what is there already
   * from an earlier sign-in of this openid, none for a new user.
   */
  consent?: SignInLifetime;
  /** The session. Its `expiresAt` is at most the option `session.maxAgeMs` ahead. Default: `'live'`. */
  session?: SignInLifetime;
  /** Whether this is the virtual user of a snapshot page (快照页), of whom nothing is stored. Default: false. */
  snapshot?: boolean;
  /**
   * The entry of `WECHAT_PUBLIC_URL` that the user has come by, where there are several: a session holds for one of
   * them. The requests need its host as their `Host` header. Default: the first entry.
   */
  publicUrl?: string;
  /** Whether the application's `onSignIn` is called, as in every sign-in. Default: true. */
  callOnSignIn?: boolean;
  /** What `onSignIn` gets as its `request`: here is none, so give what the hook reads of it. Default: undefined. */
  request?: unknown;
}

/** From when to when something holds. */
export interface Span {
  startsAt: Date;
  expiresAt: Date;
}

/** {@link SignInWechatUserOptions}, checked. */
export interface ResolvedSignIn {
  account: WechatAccount;
  publicUrl: PublicUrl;
  openid: string;
  unionid: string | undefined;
  scope: WechatScope;
  /** Undefined: this sign-in brings none. */
  consent: Span | undefined;
  /** Undefined: this sign-in brings none. */
  userInfo: WechatUserInfo | undefined;
  session: Span;
  snapshot: boolean;
}

/** @throws {WechatError} `invalid_argument` */
export function resolveSignIn(
  options: SignInWechatUserOptions,
  { options: { accounts, publicUrls, sessionMaxAgeMs }, randomness }: ModuleParts,
  now: Date,
): ResolvedSignIn {
  checkSignInOptions(options);
  const { appId = accounts[0].appId, userInfo, consent, snapshot = false, unionid } = options;
  const account =
    accounts.find((known) => known.appId === appId) ??
    refuse(`the account ${appId} is not configured. Configured: ${accounts.map((a) => a.appId).join(', ')}.`);
  if (snapshot && (userInfo !== undefined || consent !== undefined)) {
    refuse('a snapshot page stores nothing. Leave out `userInfo` and `consent`, or `snapshot`.');
  }
  const isAboutProfile = userInfo !== undefined || consent !== undefined;
  const { scope = isAboutProfile ? 'userinfo' : 'base' } = options;
  const consentLifetime = consent ?? (scope === 'userinfo' && !snapshot ? 'live' : undefined);
  if (userInfo && !consentLifetime) {
    refuse("there is no profile without a consent. Leave out `scope: 'base'`, or add `consent: 'live'`.");
  }
  const openid = options.openid ?? newOpenid(randomness);
  const hasProfile = consentLifetime !== undefined && userInfo !== null;
  return {
    account,
    publicUrl: findPublicUrl(options.publicUrl, publicUrls),
    openid,
    unionid,
    scope,
    consent: consentLifetime && span('consent', consentLifetime, CONSENT_LIFETIME_MS, now),
    userInfo: hasProfile
      ? { ...DEFAULT_PROFILE, ...givenOf(userInfo), openid, ...(unionid && { unionid }) }
      : undefined,
    session: span(
      'session',
      options.session ?? 'live',
      snapshot ? SNAPSHOT_SESSION_MS : sessionMaxAgeMs,
      now,
    ),
    snapshot,
  };
}

/** What WeChat tells of somebody today: all but nickname and avatar has been empty since 2021-10-20. */
const DEFAULT_PROFILE: Omit<WechatUserInfo, 'openid'> = {
  nickname: '测试用户',
  headimgurl: 'https://thirdwx.qlogo.cn/mmopen/vi_32/test/132',
  sex: 0,
  language: '',
  province: '',
  city: '',
  country: '',
  privilege: [],
};

/** @returns what is there: a field that is undefined must not take the place of its default. */
function givenOf(userInfo: SignInWechatUserOptions['userInfo']): Partial<WechatUserInfo> {
  const fields: [string, unknown][] = Object.entries(userInfo ?? {});
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** 28 characters that begin with an `o`, as at WeChat. */
function newOpenid(randomness: WechatRandomness): string {
  return `o${randomness.bytes(OPENID_BYTES).toString('base64url')}`;
}

function span(name: string, lifetime: SignInLifetime, fullMs: number, now: Date): Span {
  const live = new Date(now.getTime() + fullMs);
  const expiresAt = lifetime === 'live' ? live : lifetime === 'ended' ? now : lifetime.expiresAt;
  if (!(expiresAt <= live)) {
    refuse(
      `\`${name}.expiresAt\` is not a date up to ${live.toISOString()}: a ${name} does not last longer.`,
    );
  }
  return { startsAt: new Date(expiresAt.getTime() - fullMs), expiresAt };
}

function findPublicUrl(
  given: string | undefined,
  publicUrls: ResolvedWechatAuthOptions['publicUrls'],
): PublicUrl {
  if (given === undefined) return publicUrls[0];
  const host = parseUrl(given)?.host;
  return (
    publicUrls.find((publicUrl) => publicUrl.host === host) ??
    refuse(
      `${given} is not in WECHAT_PUBLIC_URL. There: ${publicUrls.map(({ origin, basePath }) => origin + basePath).join(', ')}.`,
    )
  );
}

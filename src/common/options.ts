import type { PublicUrl } from './public-url.js';
import type { SealingKey } from './sealer.js';
import type { WechatSessionStore } from './session.js';
import type { WechatUser } from './wechat-user.js';

/** A WeChat service account (服务号) that users sign in to. */
export interface WechatAccount {
  /** `appid` in WeChat's words, for example `wx1234567890abcdef`. */
  appId: string;
  /** `secret` in WeChat's words. Never logged, never sent to a browser. */
  appSecret: string;
  /** How long a refresh token of this account lives, in milliseconds. */
  refreshTokenLifetimeMs: number;
}

/** Context of the `onSignIn` hook. */
export interface WechatSignInContext {
  /** True until a sign-in of this user to this account has completed once. */
  isNewGrant: boolean;
  /** The platform's request of the callback. */
  request: unknown;
}

export type WechatSignInHook = (user: WechatUser, context: WechatSignInContext) => void | Promise<void>;

export type WechatPrompt = 'explain' | 'direct';
export type OutsideWechat = 'open-in-wechat' | 'redirect';

/** When and how access tokens are refreshed. */
export interface RefreshSettings {
  /** Whether this instance does it by itself. */
  isScheduled: boolean;
  /** From the end of one sweep to the next, in milliseconds. */
  intervalMs: number;
  /** Grants that are claimed, and written, at once. */
  batchSize: number;
  /** Refreshes that are under way at once, on this instance. */
  concurrency: number;
  /** How much of WeChat's calls a minute may be used: the rest is for those who cannot wait. */
  quotaShare: number;
  /** Users who have not signed in for longer are left out; undefined: nobody is. */
  activeWithinDays: number | undefined;
}

/** How early things are done before they have to be. */
export interface GrantTimes {
  /** An access token is refreshed this long before it ends, in milliseconds. */
  readonly leadTimeMs: number;
  /** A user may be asked again this long before the consent ends, in milliseconds. */
  readonly reconsentWindowMs: number;
}

/** Every setting, checked, with nothing left out. Made once at start from the options and the environment. */
export interface ResolvedWechatAuthOptions {
  /** At least one; the first is the default. */
  accounts: readonly [WechatAccount, ...WechatAccount[]];
  /** At least one. */
  publicUrls: readonly [PublicUrl, ...PublicUrl[]];
  /** At least one: the first seals, all open. */
  keys: readonly [SealingKey, ...SealingKey[]];
  /** Where WeChat's pages are: `https://open.weixin.qq.com`, or an emulator. */
  openBaseUrl: string;
  /** Where WeChat's API is: `https://api.weixin.qq.com`, or an emulator. */
  apiBaseUrl: string;
  /** Path of the module's controller, with a leading slash and none at the end. */
  path: string;
  prompt: WechatPrompt;
  outsideWechat: OutsideWechat;
  /** How long a session lasts, in milliseconds. */
  sessionMaxAgeMs: number;
  /** From this age on a session's user is found out anew inside WeChat, in milliseconds; `Infinity`: never. */
  sessionReverifyAfterMs: number;
  /** A store of the host's own, instead of the sealed cookie. */
  sessionStore: WechatSessionStore | undefined;
  refresh: RefreshSettings;
  /** How early access tokens are refreshed, and users asked again. */
  times: GrantTimes;
  /** Users who have not signed in for longer are forgotten. */
  retainInactiveDays: number;
  /** Limit of one call to WeChat, from the first byte sent to the last one read, in milliseconds. */
  requestTimeoutMs: number;
  /** Origins besides the public ones that may send unsafe requests. */
  allowedOrigins: readonly string[];
  /** What the consent page says the profile is used for. */
  consentText: string | undefined;
  onSignIn: WechatSignInHook | undefined;
}

/** DI token of {@link ResolvedWechatAuthOptions}. */
export const WECHAT_AUTH_OPTIONS = Symbol('nestjs-wechat-auth:options');

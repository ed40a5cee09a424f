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

/** Where people reach the application: one entry of `WECHAT_PUBLIC_URL`. */
export interface PublicUrl {
  /** Scheme, host and port, for example `https://shop.example.com`. */
  origin: string;
  /** `Host` header that chooses this entry. */
  host: string;
  /** Path that a reverse proxy strips before the application sees it; `''` or `/shop`, never with a slash at the end. */
  basePath: string;
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

/** Every setting, checked, with nothing left out. Made once at start from the options and the environment. */
export interface ResolvedWechatAuthOptions {
  /** At least one; the first is the default. */
  accounts: readonly WechatAccount[];
  /** At least one. */
  publicUrls: readonly PublicUrl[];
  /** Where WeChat's pages are: `https://open.weixin.qq.com`, or an emulator. */
  openBaseUrl: string;
  /** Where WeChat's API is: `https://api.weixin.qq.com`, or an emulator. */
  apiBaseUrl: string;
  /** Path of the module's controller, with a leading slash and none at the end. */
  path: string;
  prompt: WechatPrompt;
  outsideWechat: OutsideWechat;
  sessionMaxAgeMs: number;
  requestTimeoutMs: number;
  /** Origins besides the public ones that may send unsafe requests. */
  allowedOrigins: readonly string[];
  /** What the consent page says the profile is used for. */
  consentText: string | undefined;
  onSignIn: WechatSignInHook | undefined;
}

/** DI token of {@link ResolvedWechatAuthOptions}. */
export const WECHAT_AUTH_OPTIONS = Symbol('nestjs-wechat-auth:options');

import type { OutsideWechat, WechatPrompt, WechatSignInHook } from './common/options.js';
import type { WechatSessionStore } from './common/session.js';

/** One of several WeChat accounts; see {@link WechatAuthOptions.accounts}. */
export interface WechatAccountOptions {
  /** `wx` and 16 more characters, from 微信公众平台 → 设置与开发 → 开发接口管理. */
  appId: string;
  /** Shown once, in the same place, when it is made. */
  appSecret: string;
  /** How long this account's refresh tokens live, in milliseconds. Default: `refreshTokenLifetimeMs`. */
  refreshTokenLifetimeMs?: number;
}

/** How access tokens are kept alive; see {@link WechatAuthOptions.refresh}. */
export interface WechatRefreshOptions {
  /** Pause between two sweeps, in milliseconds. Default: 60 000. */
  intervalMs?: number;
  /** How long before an access token ends it is refreshed, in milliseconds. Default: 10 minutes. */
  leadTimeMs?: number;
  /** How many grants are claimed, and written, by one statement. Default: 500. */
  batchSize?: number;
  /** How many refreshes this instance has under way at once. Default: 32. */
  concurrency?: number;
  /** Share of WeChat's 50,000 calls a minute that may be used, above 0 and up to 1. Default: 0.8. */
  quotaShare?: number;
  /**
   * Users who have not signed in for so many days are refreshed once more and then left alone until they sign in
   * again. Default: nobody is left out.
   */
  activeWithinDays?: number;
}

/**
 * Every setting of the module. Each may be left out; an option wins over its environment variable. What is wrong is
 * said at start, all at once. Blanks around a text do not count, and an empty variable counts as not set.
 */
export interface WechatAuthOptions {
  /** Default: `WECHAT_APP_ID`. */
  appId?: string;
  /** Default: `WECHAT_APP_SECRET`. */
  appSecret?: string;
  /** Several accounts instead of one; the first is the default of `@WechatAuth`. Default: none. */
  accounts?: readonly WechatAccountOptions[];
  /**
   * Where people reach the application, for example `https://shop.example.com`; several separated by commas. A
   * path is what a reverse proxy strips. Default: `WECHAT_PUBLIC_URL`.
   */
  publicUrl?: string;
  /**
   * `kid:base64` of 32 random bytes; several separated by commas: the first seals, all open. Make one with
   * `node -e "console.log('k1:' + crypto.randomBytes(32).toString('base64'))"`. Default: `WECHAT_AUTH_KEYS`.
   */
  keys?: string;
  /** Default: `WECHAT_OPEN_BASE_URL`, else `https://open.weixin.qq.com`. */
  openBaseUrl?: string;
  /** Default: `WECHAT_API_BASE_URL`, else `https://api.weixin.qq.com`. */
  apiBaseUrl?: string;
  /** Path of the module's own routes. Default: `/wechat`. */
  path?: string;
  /**
   * What stands before WeChat's consent screen: `'explain'`, a page of ours with a button, or `'direct'`, nothing.
   * WeChat may open a consent that nobody asked for as a snapshot page, hence the default `'explain'`.
   *
   * @see https://developers.weixin.qq.com/community/develop/doc/000c2c34068880629ced91a2f56001
   */
  prompt?: WechatPrompt;
  /**
   * What a browser other than WeChat's gets: `'open-in-wechat'`, a page that says so, or `'redirect'`, the same as
   * inside WeChat. Default: `'redirect'` if `openBaseUrl` is not the real WeChat's, else `'open-in-wechat'`.
   */
  outsideWechat?: OutsideWechat;
  session?: {
    /** How long a session lasts, in milliseconds, also one that was issued when this was more. Default: 30 days. */
    maxAgeMs?: number;
    /**
     * How old a session may be before a page inside WeChat finds out anew, silently, who has the phone, in milliseconds,
     * a minute or more; `false`: never. Default: 24 hours.
     */
    reverifyAfterMs?: number | false;
    /** A store of your own. Default: one sealed cookie. */
    store?: WechatSessionStore;
  };
  /** How long a refresh token lives after the sign-in, in milliseconds. Default: 30 days, as at WeChat. */
  refreshTokenLifetimeMs?: number;
  /**
   * How access tokens are kept alive; `false` leaves it to other instances, for web-only ones beside a worker.
   */
  refresh?: WechatRefreshOptions | false;
  /** How long before a consent ends the user may be asked again, in milliseconds. Default: 3 days. */
  reconsentWindowMs?: number;
  /**
   * How long a user is kept who does not sign in any more, in days; then all that is stored of the user is deleted, and
   * sessions that still live end. Default: 180.
   */
  retainInactiveDays?: number;
  /** Time limit of one call to WeChat, in milliseconds. Default: 5 000. */
  requestTimeoutMs?: number;
  /**
   * Origins besides the public ones whose pages may send POST, PUT, PATCH and DELETE: scheme, host and port, with
   * plain http on this machine only. Default: none.
   */
  allowedOrigins?: readonly string[];
  /** One sentence for the consent page: what the profile is used for. Default: a general one. */
  consentText?: string;
  /**
   * Called after the grant is saved and before the session is issued: link your own accounts here. It may be called
   * again for the same user, so link idempotently. If it throws, the sign-in ends in a 403 page. Default: none.
   */
  onSignIn?: WechatSignInHook;
}

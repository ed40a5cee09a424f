import type { WechatEmulatorApp, WechatEmulatorUser } from './emulator.options.js';

/** What a fault can be set for: the authorization page, and the four calls of the API. */
export type WechatEmulatorEndpoint = 'authorize' | 'token' | 'refresh' | 'userinfo' | 'auth';

/**
 * A way to go wrong. `errcode`, `status`, `body` and `bodyBytes` (so many bytes of nonsense) replace an answer: nothing
 * is done, but a code that was sent is used up. With `hang`, `cut` and `delayMs` the work is done and the answer never arrives, arrives in half, or
 * arrives `delayMs` milliseconds of real time later.
 */
export type WechatEmulatorFault =
  | { errcode: number; errmsg?: string }
  | { status: number }
  | { body: string | Uint8Array; contentType?: string }
  | { bodyBytes: number; contentType?: string }
  | { hang: true }
  | { cut: true }
  | { delayMs: number };

export interface WechatEmulatorFaultOptions {
  /** How many requests the fault meets. Default 1; without end where `share` or `durationMs` is given. */
  times?: number;
  /** Which share of the requests it meets, for example 0.1. Which ones follows from the `seed`. Default 1: all. */
  share?: number;
  /** How long it lasts from now on, in milliseconds of the emulator's clock. Default: until `times` is used up. */
  durationMs?: number;
}

/** A request that the emulator received. Secrets and tokens are in it on purpose: nothing here is real. */
export interface WechatEmulatorRequest {
  readonly method: string;
  readonly path: string;
  /** Parameters of the query, the first of each name. */
  readonly query: Readonly<Record<string, string>>;
  /** What faults can be set for, if it is one of these. */
  readonly endpoint: WechatEmulatorEndpoint | undefined;
  /** When it came, by the emulator's clock. */
  readonly at: Date;
}

/** An answer of `/sns/oauth2/access_token`. */
export interface WechatEmulatorTokens {
  access_token: string;
  /** In seconds. */
  expires_in: number;
  refresh_token: string;
  openid: string;
  scope?: string;
  unionid?: string;
  is_snapshotuser?: number;
}

/** What a person can do in WeChat besides signing in. Each act takes effect at once. */
export interface WechatEmulatorUserControl {
  /** Follows the service account (关注). */
  follow(): Promise<void>;
  /** Stops following it. Tokens and consents stay as they are. */
  unfollow(): Promise<void>;
  /** Changes the WeChat password: the tokens that exist answer 42007 from now on. */
  changePassword(): Promise<void>;
  /** Withdraws the consent to share nickname and avatar, at all apps. */
  withdrawConsent(): Promise<void>;
  /** Closes the WeChat account. It cannot sign in any more. */
  deregister(): Promise<void>;
  /**
   * Makes WeChat show the application as a snapshot page (快照页) with a virtual user, wherever the consent page
   * would have come. The button 使用完整服务 of such a page is on the emulator's own start page; it brings the consent
   * page and then the real user, with the same state. `forcePopup=true` does so at once.
   */
  snapshot(on?: boolean): Promise<void>;
  /** Opens pages from the account's chat or menu: a follower who does so is never asked. */
  openFromChat(on?: boolean): Promise<void>;
  /**
   * Authorizes an app, the first one by default, as if page, consent and exchange of the code were done.
   *
   * @returns what the exchange would have answered.
   */
  authorize(scope: 'snsapi_base' | 'snsapi_userinfo', appId?: string): Promise<WechatEmulatorTokens>;
  /** @returns this user's openid at one of the apps. */
  openidAt(appId: string): string;
}

/** A running emulator. Made by {@link createWechatEmulator}. */
export interface WechatEmulator {
  /** Where it listens, for example `http://127.0.0.1:40123`. */
  readonly url: string;
  /** Where it listens over TLS, for example `https://127.0.0.1:40124`, if it was given the option `tls`. */
  readonly tlsUrl: string | undefined;
  /** To be used instead of `https://open.weixin.qq.com`. */
  readonly openBaseUrl: string;
  /** To be used instead of `https://api.weixin.qq.com`. */
  readonly apiBaseUrl: string;
  readonly apps: readonly WechatEmulatorApp[];
  readonly users: readonly WechatEmulatorUser[];
  /** The latest 100,000 requests, oldest first. */
  readonly requests: readonly WechatEmulatorRequest[];
  /** @returns the emulator's time. */
  now(): Date;
  /** Turns the emulator's clock forward by `ms` milliseconds. */
  advanceTime(ms: number): Promise<void>;
  /** Lets the next request to `endpoint` go wrong, or more of them. Faults for one endpoint queue up. */
  failNext(
    endpoint: WechatEmulatorEndpoint,
    fault: WechatEmulatorFault,
    options?: WechatEmulatorFaultOptions,
  ): Promise<void>;
  /** Ends all faults, also those that have not met a request yet. */
  clearFaults(): Promise<void>;
  /** @returns what the person with this openid (at any app) can do. */
  user(openid: string): WechatEmulatorUserControl;
  /** Signs a person in to WeChat, in every browser. A browser's own later choice on the page wins over it. */
  signInAs(openid: string): Promise<void>;
  /**
   * Forgets tokens, consents, requests and faults, and turns the clock back. Apps and users stay, in their first
   * state. Codes and tokens given out later are new ones even with a `seed`.
   */
  reset(): Promise<void>;
  /** Stops, and ends every connection at once. */
  close(): Promise<void>;
}

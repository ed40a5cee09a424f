/** An account registered at the emulated WeChat. */
export interface WechatEmulatorApp {
  /** `appid`, in real life `wx` and 16 hexadecimal digits. */
  readonly appId: string;
  /** `secret`, in real life 32 hexadecimal digits. */
  readonly appSecret: string;
  /** Host names (网页授权域名) that a redirect URI may have: no scheme, no port, and no sub-domains implied. */
  readonly redirectDomains: readonly string[];
  /** What the account is. Only a service account (服务号) can use web-page authorization. Default `service`. */
  readonly kind?: 'service' | 'website' | 'component';
  /** The account's name on the consent page. */
  readonly name?: string;
}

/** A person who uses the emulated WeChat. */
export interface WechatEmulatorUser {
  /** The user's openid at the first app, 28 characters. At the other apps the same user has other openids. */
  readonly openid: string;
  /** Present if the apps are bound to one open platform account. */
  readonly unionid?: string;
  readonly nickname: string;
  /** Address of the avatar. The emulator draws and serves those it made up itself. Empty: the user has none. */
  readonly headimgurl: string;
  /** Whether the user follows (关注) the service account. */
  readonly follows: boolean;
}

/** What happens when the user refuses. WeChat's clients have done all three over the years. */
export type WechatEmulatorRefusal = 'authdeny' | 'state-only' | 'page';

/** What the emulator shows to those who come over TLS. */
export interface WechatEmulatorTls {
  /** Private key, PEM. */
  readonly key: string;
  /** Certificate of that key, PEM, followed by those between it and the authority, if there are any. */
  readonly cert: string;
  /** TCP port on 127.0.0.1. Default 0: any free one. */
  readonly port?: number;
}

/** Settings of {@link createWechatEmulator}; all may be left out. */
export interface WechatEmulatorOptions {
  /** Registered accounts. Default: one service account with `localhost` and `127.0.0.1` as redirect domains. */
  apps?: readonly WechatEmulatorApp[];
  /** People. Only the nickname is needed. Default: three, without unionid since most accounts have none. */
  users?: readonly (Pick<WechatEmulatorUser, 'nickname'> & Partial<WechatEmulatorUser>)[];
  /** TCP port on 127.0.0.1. Default 0: any free one. */
  port?: number;
  /**
   * Listens on a second port of 127.0.0.1 as well, over TLS: the same WeChat, for clients that speak https only.
   * Default: none.
   */
  tls?: WechatEmulatorTls;
  /**
   * Makes codes, tokens and request ids repeatable. Default: different in each run, so that an application which
   * remembers used codes across runs is not confused. openids never depend on it.
   */
  seed?: number | string;
  /**
   * The time before {@link WechatEmulator.advanceTime} adds to it. A `Date` stands still, a function is asked each
   * time. Default: the machine's clock.
   */
  now?: Date | (() => Date);
  /**
   * Whether the authorization request must carry its parameters in the documented order. Default true, as in
   * WeChat on a PC; the clients on phones are more lenient.
   */
  strictParameterOrder?: boolean;
  /**
   * Whether a token got by `snsapi_base` may read the profile for as long as a consent of that user is alive.
   * Default true. Undocumented, and reports disagree, so try an application with both.
   */
  grantMemory?: boolean;
  /** Whether the authorization page opens in WeChat's own browser only. Default false. */
  requireWechatUserAgent?: boolean;
  /**
   * File that keeps tokens, users' states, consents and the clock's offset over a restart. It is written before an
   * answer leaves the emulator. Default: none.
   */
  stateFile?: string;
  /**
   * What follows the button 拒绝: `authdeny` (default) redirects with `state`, `code=authdeny` and `reason`,
   * `state-only` redirects with `state` alone, `page` shows a page and redirects nowhere.
   */
  refusal?: WechatEmulatorRefusal;
  /** Whether `/sns/userinfo` answers for any openid that is not empty, as one report says. Default false. */
  looseOpenid?: boolean;
}

/** What a fault can be set for: the authorization page, and the four calls of the API. */
export type WechatEmulatorEndpoint = 'authorize' | 'token' | 'refresh' | 'userinfo' | 'auth';

/**
 * A way to go wrong. `errcode`, `status` and `body` replace an answer: nothing is done, but a code that was sent is
 * used up. With `hang`, `cut` and `delayMs` the work is done and the answer never arrives, arrives in half, or
 * arrives `delayMs` milliseconds of real time later.
 */
export type WechatEmulatorFault =
  | { errcode: number; errmsg?: string }
  | { status: number }
  | { body: string | Uint8Array; contentType?: string }
  | { hang: true }
  | { cut: true }
  | { delayMs: number };

export interface WechatEmulatorFaultOptions {
  /** How many requests the fault meets. Default 1. */
  times?: number;
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
   * would have come. `forcePopup=true`, which stands for the button 使用完整服务, brings the consent page.
   */
  snapshot(on?: boolean): Promise<void>;
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
  /** Lets the next request to `endpoint` go wrong. Faults for one endpoint queue up. */
  failNext(
    endpoint: WechatEmulatorEndpoint,
    fault: WechatEmulatorFault,
    options?: WechatEmulatorFaultOptions,
  ): Promise<void>;
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

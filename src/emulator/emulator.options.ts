/** An account registered at the emulated WeChat. */
export interface WechatEmulatorApp {
  /** `appid`, in real life `wx` and 16 hexadecimal digits. */
  readonly appId: string;
  /** `secret`, in real life 32 hexadecimal digits. For a `component`, its `component_access_token`. */
  readonly appSecret: string;
  /**
   * Host names (网页授权域名) that a redirect URI may have: no scheme, no port, and no sub-domains implied. Only a
   * `sandbox` may register an address with a port as well.
   */
  readonly redirectDomains: readonly string[];
  /**
   * What the account is. Default `service`: a verified service account (服务号), which can use web-page
   * authorization. `sandbox`: a test account (公众平台测试号), which lets in nobody but its followers. `website`: a
   * website application (网站应用), where people sign in by a QR code on a PC. `component`: a third-party platform
   * (第三方平台), which signs in for the accounts that have authorized it.
   */
  readonly kind?: 'service' | 'sandbox' | 'website' | 'component';
  /** The account's name on the consent page. */
  readonly name?: string;
  /** Whether WeChat has banned the account. Default false. */
  readonly banned?: boolean;
  /** What the account may ask for. Default both. */
  readonly scopes?: readonly ('snsapi_base' | 'snsapi_userinfo')[];
  /** For a `component`: the app ids of the accounts that have authorized it. Default none. */
  readonly accounts?: readonly string[];
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

/** What the emulator is told of a person. Only the nickname is needed. */
export interface WechatEmulatorUserOptions extends Partial<WechatEmulatorUser> {
  readonly nickname: string;
  /**
   * The bytes between the quotes of `nickname` in an answer, as they are: for the nicknames that are not valid UTF-8
   * or not valid JSON, which WeChat sends now and then.
   */
  readonly nicknameBytes?: Uint8Array;
  /** `privilege` in an answer, for example `['chinaunicom']`. Default none. */
  readonly privilege?: readonly string[];
}

/** What happens when the user refuses. WeChat's clients have done all three over the years. */
export type WechatEmulatorRefusal = 'authdeny' | 'state-only' | 'page';

/**
 * How a callback comes twice. `same-code`: two navigations within a second. `two-codes`: the same, each with a code of
 * its own and both with one state. `restored`: a page that is restored, by the back button for example, goes to its
 * callback again, however late.
 */
export type WechatEmulatorDoubleCallback = 'same-code' | 'two-codes' | 'restored';

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
export interface WechatEmulatorOptions extends WechatEmulatorVariants {
  /** Registered accounts. Default: one service account with `localhost` and `127.0.0.1` as redirect domains. */
  apps?: readonly WechatEmulatorApp[];
  /**
   * People; a number makes that many up. Default: three, without unionid since most accounts have none.
   */
  users?: readonly WechatEmulatorUserOptions[] | number;
  /** TCP port on 127.0.0.1. Default 0: any free one. */
  port?: number;
  /**
   * Listens on a second port of 127.0.0.1 as well, over TLS: the same WeChat, for clients that speak https only.
   * Default: none.
   */
  tls?: WechatEmulatorTls;
  /**
   * Makes codes, tokens, request ids and faults of a `share` repeatable. Default: different in each run, so that an
   * application which remembers used codes across runs is not confused. openids never depend on it. A state file that
   * exists goes on with its own.
   */
  seed?: number | string;
  /**
   * The time before {@link WechatEmulator.advanceTime} adds to it. A `Date` stands still, a function is asked each
   * time. Default: the machine's clock.
   */
  now?: Date | (() => Date);
  /** Whether the authorization page opens in WeChat's own browser only. Default false. */
  requireWechatUserAgent?: boolean;
  /**
   * File that keeps tokens, users' states, consents and the clock's offset over a restart. It is written before an
   * answer leaves the emulator. One emulator at a time can use it. Default: none.
   */
  stateFile?: string;
  /** Makes every callback come twice, unless `connect_redirect=1` is asked for. Default: each comes once. */
  doubleCallback?: WechatEmulatorDoubleCallback;
  /**
   * How many calls a minute each app may make to each of token, refresh and userinfo before they answer 45011; false
   * for no limit. Default 50,000, as documented.
   */
  quotaPerMinute?: number | false;
  /**
   * Whether a userinfo request that no gesture of the user led to opens as a snapshot page (快照页), as WeChat has
   * announced it for 2022-07-12. Browsers tell by `Sec-Fetch-User`. Default false: only where
   * {@link WechatEmulatorUserControl.snapshot} says so, since WeChat itself does it now and then.
   */
  snapshotWithoutGesture?: boolean;
}

/**
 * Where what is known of WeChat disagrees, or only one report exists. The defaults follow the better-supported side,
 * or where the sides are even, the one that is harder on the application.
 */
export interface WechatEmulatorVariants {
  /**
   * Whether the authorization request must carry its parameters in the documented order. Default true, as in
   * WeChat on a PC; the clients on phones are more lenient.
   */
  strictParameterOrder?: boolean;
  /**
   * Whether `state` must be there, be it empty (10013). Default false: the table of parameters calls it optional, and
   * clients that leave it out are in use.
   */
  requireState?: boolean;
  /**
   * Whether a token got by `snsapi_base` may read the profile for as long as a consent of that user is alive.
   * Default true. Undocumented, and reports disagree, so try an application with both.
   */
  grantMemory?: boolean;
  /** How long a consent spares the user the next one, in milliseconds. Default 30 days, as Tencent's staff has said. */
  consentLifetimeMs?: number;
  /**
   * What follows the button 拒绝: `authdeny` (default) redirects with `state`, `code=authdeny` and `reason`,
   * `state-only` redirects with `state` alone, `page` shows a page and redirects nowhere.
   */
  refusal?: WechatEmulatorRefusal;
  /** Whether `/sns/userinfo` answers for any openid that is not empty, as one report says. Default false. */
  looseOpenid?: boolean;
  /** How long a code can be exchanged, in milliseconds. Default 5 minutes; 10 for a website, and through a `component`. */
  codeLifetimeMs?: number;
  /** Whether an exchange that fails uses the code up: 40029 at first, 40163 from then on. Default true. */
  failedExchangeBurnsCode?: boolean;
  /** How long a refresh token lives, in milliseconds. Default 30 days; mobile applications are said to get 180. */
  refreshTokenLifetimeMs?: number;
  /** Whether a refresh moves the end of the refresh token. Default false: 无法续期. */
  slidingRefreshToken?: boolean;
  /** Whether a refresh before the access token's end answers the same access token. Default true. */
  refreshKeepsAccessToken?: boolean;
  /** What a refresh token answers that a later authorization has replaced. Default 40030. */
  supersededRefreshToken?: 40030 | 42002;
  /** What `/sns/userinfo` answers after the consent was withdrawn. Default 50001. */
  withdrawnConsent?: 50001 | 48001;
  /**
   * Whose token answers have a `unionid`, among those who have one. `userinfo` (default): those of snsapi_userinfo, as
   * documented. `followers`: also those of snsapi_base where the user follows the account. `always`: all.
   */
  unionidInTokenAnswer?: 'userinfo' | 'followers' | 'always';
  /** Whether a token answer has `scope`, which the newest documents leave out. Default true. */
  scopeInTokenAnswer?: boolean;
  /** Whether a token answer of a snapshot page has `is_snapshotuser`, which is said to be missing at times. Default true. */
  snapshotFlag?: boolean;
  /** What a snapshot page's token reads: a virtual profile (default), or 48001 as in August 2022. */
  snapshotProfile?: 'virtual' | 48001;
  /** How an error message ends: with `, rid: ...` (default), or with `, hints: [ req_id: ... ]` as until 2020. */
  requestIdStyle?: 'rid' | 'hints';
}

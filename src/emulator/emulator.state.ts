/** `snsapi_...` as on the wire. */
export type WireScope = 'snsapi_base' | 'snsapi_userinfo' | 'snsapi_login';

/** Who a code or a pair of tokens is for. */
export interface Subject {
  /** The user's openid at the app, or that of a virtual user. */
  openid: string;
  /** The user's openid at the first app, by which the emulator knows the user. */
  userId: string;
  /** True for the virtual user of a snapshot page. */
  snapshot: boolean;
}

export interface CodeRecord extends Subject {
  code: string;
  appId: string;
  /** The third-party platform that the code is for. */
  componentAppId?: string;
  scope: WireScope;
  issuedAtMs: number;
  used: boolean;
  /** Where the browser goes once more as soon as the exchange has begun. */
  secondCallback?: string;
}

/** A user at an app, with the one live pair of tokens that WeChat keeps for the two. */
export interface Entry extends Subject {
  /** Its place among all entries. */
  number: number;
  appId: string;
  /** How many tokens it has been given so far. */
  serial: number;
  /** The latest authorization of `snsapi_userinfo`, unless it was withdrawn. */
  consentedAtMs?: number | undefined;
  pair?: TokenPair | undefined;
}

/** Tokens are known by their serials; {@link TokenMint} makes texts of them. */
export interface TokenPair {
  scope: WireScope;
  accessSerial: number;
  accessMonth: number;
  accessExpiresAtMs: number;
  refreshSerial: number;
  refreshMonth: number;
  refreshExpiresAtMs: number;
  /** The password was changed after the pair was made. */
  passwordChanged: boolean;
  /** The consent was withdrawn after the pair was made. */
  consentWithdrawn: boolean;
}

/** An authorization request that waits for an answer of the user. */
export interface PendingConsent {
  uuid: string;
  appId: string;
  componentAppId?: string;
  userId: string;
  scope: WireScope;
  redirectUri: string;
  state: string;
  /** The callback comes once even where callbacks come twice. */
  once: boolean;
  shownAtMs: number;
}

/** What a person's state differs in from the first one. */
export interface UserState {
  userId: string;
  follows: boolean;
  snapshot: boolean;
  deregistered: boolean;
  opensFromChat: boolean;
}

/** Who is signed in to WeChat. */
export interface SignedIn {
  userId: string;
  /** Goes up with each sign-in that is meant for all browsers, which voids the choices made in them before. */
  count: number;
}

/** The part of {@link EmulatorState} that grows. */
export interface LedgerEntries {
  /** The number that the first entry of the emulator's present life had. */
  firstEntry: number;
  /** How many entries there have been since. */
  entryCount: number;
  entries: Entry[];
  pending: PendingConsent[];
  codes: CodeRecord[];
  /** In a change: the consent pages and codes that are there no more. */
  gone: string[];
}

/**
 * All that outlives the process, as plain JSON. Instants are milliseconds since 1970. A change of it has the same form:
 * its lists hold only what has changed.
 */
export interface EmulatorState extends LedgerEntries {
  version: 3;
  seed: string;
  randomPosition: number;
  clockOffsetMs: number;
  signedIn: SignedIn;
  users: UserState[];
}

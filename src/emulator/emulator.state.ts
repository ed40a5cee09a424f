/** `snsapi_...` as on the wire. */
export type WireScope = 'snsapi_base' | 'snsapi_userinfo';

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
  scope: WireScope;
  issuedAtMs: number;
  used: boolean;
}

/** The one live pair of a user and an app. */
export interface TokenPair extends Subject {
  appId: string;
  scope: WireScope;
  accessToken: string;
  accessTokenExpiresAtMs: number;
  refreshToken: string;
  refreshTokenExpiresAtMs: number;
  /** The password was changed after the pair was made. */
  passwordChanged: boolean;
  /** The consent was withdrawn after the pair was made. */
  consentWithdrawn: boolean;
}

/** A consent page that waits for an answer. */
export interface PendingConsent {
  uuid: string;
  appId: string;
  userId: string;
  redirectUri: string;
  state: string;
  shownAtMs: number;
}

/** A user's latest `snsapi_userinfo` authorization at an app. */
export interface ConsentRecord {
  appId: string;
  userId: string;
  grantedAtMs: number;
}

export interface UserState {
  userId: string;
  follows: boolean;
  snapshot: boolean;
  deregistered: boolean;
}

/** Who is signed in to WeChat. */
export interface SignedIn {
  userId: string;
  /** Goes up with each sign-in that is meant for all browsers, which voids the choices made in them before. */
  count: number;
}

/** The lists of {@link EmulatorState} that grow. */
export interface LedgerEntries {
  consents: ConsentRecord[];
  pending: PendingConsent[];
  codes: CodeRecord[];
  pairs: TokenPair[];
}

/** All that outlives the process, as plain JSON. Instants are milliseconds since 1970. */
export interface EmulatorState extends LedgerEntries {
  version: 1;
  seed: string;
  randomPosition: number;
  clockOffsetMs: number;
  signedIn: SignedIn;
  users: UserState[];
}

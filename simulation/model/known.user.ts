import type { Scope } from './facts.js';
import { CONSENT_MS, RECONSENT_WINDOW_MS, REFRESH_TOKEN_MS, TOLERANCE_MS } from './times.js';

/** A pair of tokens that WeChat has given out. */
export interface KnownPair {
  /** The refresh token. */
  readonly id: string;
  readonly openid: string;
  readonly scope: Scope;
  readonly issuedAtMs: number;
  /** Whether a consent was known and live when it was given out. */
  readonly hadConsent: boolean;
  /** Whether there was perhaps one: an instance was killed over it, its end was near, or it came at the same moment. */
  mayHaveHadConsent: boolean;
  /** The latest access token that we were told. */
  accessToken: string;
  /** A later one, which an instance was told that was killed over it, or of which the answer broke off. */
  unconfirmedAccessToken: string | undefined;
  /** When WeChat has said that it does not take it, since it last did. */
  rejectedAtMs: number[];
  /** When WeChat has refused the profile to it. */
  refusedAtMs: number | undefined;
  /** The user has changed the password since, which only WeChat knows. */
  passwordChanged: boolean;
}

/** An access token that WeChat has given out. */
export interface KnownToken {
  readonly pair: KnownPair;
  /** By WeChat's clock; a refresh moves it, whoever was told. */
  readonly endsAtMs: number;
}

/** A consent that we were told of. */
export interface KnownConsent {
  readonly atMs: number;
  /** When it has ended before its time: WeChat has refused the profile, or the host wants a new one. */
  endedAtMs: number | undefined;
  /** How often the host was told that it ends soon, and that it has ended. */
  dueEvents: number;
  endEvents: number;
}

/** What is true of one user, and what of it the application can know. */
export class KnownUser {
  /** The pair that we were told last. */
  pair: KnownPair | undefined;
  /** Those that may be stored: more than one where an instance was killed, or two phones were faster than the order. */
  readonly possiblePairs = new Set<string>();
  /** WeChat has given out a newer pair, and the answer was lost on the way. */
  isSuperseded = false;
  consent: KnownConsent | undefined;
  /** Whether a consent may be stored that we do not know of, since an instance was killed over it. */
  isConsentUncertain = false;
  /** The user has taken back the consent, which only WeChat knows. */
  isWithdrawn = false;
  /** Whether a sign-in has completed since the user was last forgotten. */
  hasSignedIn = false;

  constructor(readonly openid: string) {}

  /** When there is nothing left that could be kept alive. */
  get endsAtMs(): number {
    const consentEnd = this.consent ? this.consent.atMs + CONSENT_MS : -Infinity;
    return Math.min(consentEnd, this.pair ? this.pair.issuedAtMs + REFRESH_TOKEN_MS : Infinity);
  }

  get dueAtMs(): number {
    return this.endsAtMs - RECONSENT_WINDOW_MS;
  }

  /** Whether every instance takes the consent for live. */
  isConsentLive(atMs: number): boolean {
    const { consent } = this;
    if (!consent || consent.endedAtMs !== undefined || this.isConsentUncertain) return false;
    return atMs < consent.atMs + CONSENT_MS - TOLERANCE_MS;
  }

  /** Whether some instance may take some consent for live. */
  mayConsentBeLive(atMs: number): boolean {
    const { consent } = this;
    if (this.isConsentUncertain) return true;
    return (
      consent !== undefined &&
      consent.endedAtMs === undefined &&
      atMs < consent.atMs + CONSENT_MS + TOLERANCE_MS
    );
  }

  /** Whether nothing is known, here or at WeChat, that would keep an access token from being had. */
  isAble(atMs: number, rememberConsents: boolean): boolean {
    const { pair } = this;
    return (
      pair !== undefined &&
      this.possiblePairs.size === 1 &&
      !this.isSuperseded &&
      !this.isWithdrawn &&
      !pair.passwordChanged &&
      pair.rejectedAtMs.length === 0 &&
      pair.refusedAtMs === undefined &&
      atMs < pair.issuedAtMs + REFRESH_TOKEN_MS - TOLERANCE_MS &&
      this.isConsentLive(atMs) &&
      (pair.scope === 'userinfo' || (pair.hadConsent && rememberConsents))
    );
  }
}

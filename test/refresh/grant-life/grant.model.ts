import type { RefreshFailure } from '../../../src/refresh/refresh.failures.js';

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A refresh that somebody has begun: of which pair, and what was known of it then. */
export interface ModelClaim {
  id: string;
  version: number;
  suspectSinceMs: number | null;
}

/**
 * What is promised of one user's grant, in as few words as it takes: no database, no SQL, no code of the module's. All
 * instants in milliseconds.
 */
export class GrantModel {
  nowMs = Date.UTC(2026, 2, 1, 8);
  /** 0: nobody has signed in yet. */
  version = 0;
  scope: 'base' | 'userinfo' = 'base';
  status: 'alive' | 'suspect' | 'dead' = 'alive';
  suspectSinceMs: number | null = null;
  ability: 'able' | 'unable' | 'unknown' = 'unable';
  accessEndsMs = 0;
  refreshEndsMs = 0;
  consentEndsMs: number | null = null;
  notice: 'due' | 'required' | null = null;
  reviewMs: number | null = null;
  askedMs: number | null = null;
  isPopupWanted = false;
  failures = 0;
  /** Who refreshes, and until when nobody else may. */
  lease: { id: string; endsMs: number } | null = null;
  /** Whether sweeps keep it alive. */
  isKept = false;

  get isConsentLive(): boolean {
    return this.consentEndsMs !== null && this.nowMs < this.consentEndsMs;
  }

  /** Whether `getAccessToken` may refresh it. */
  get isServed(): boolean {
    const isAlive = this.status === 'alive' && this.nowMs < this.refreshEndsMs;
    return this.isConsentLive && isAlive && this.ability !== 'unable';
  }

  /** The pair is another one, whatever was known of the one before. None but a userinfo one touches the consent. */
  authorize(scope: 'base' | 'userinfo'): void {
    this.ability = scope === 'userinfo' ? 'able' : this.isConsentLive ? 'unknown' : 'unable';
    this.version += 1;
    this.scope = scope;
    this.status = 'alive';
    this.suspectSinceMs = null;
    this.accessEndsMs = this.nowMs + 2 * HOUR_MS;
    this.refreshEndsMs = this.nowMs + 30 * DAY_MS;
    this.failures = 0;
    this.lease = null;
    this.isKept = this.ability !== 'unable';
    if (scope === 'base') return;
    this.consentEndsMs = this.nowMs + 30 * DAY_MS;
    this.notice = null;
    this.reviewMs = this.nowMs + 27 * DAY_MS;
    this.askedMs = null;
    this.isPopupWanted = false;
  }

  /** Somebody begins a refresh. */
  claim(id: string, leaseMs: number): ModelClaim {
    this.lease = { id, endsMs: this.nowMs + leaseMs };
    return { id, version: this.version, suspectSinceMs: this.suspectSinceMs };
  }

  /** Whether what comes of a refresh counts: nothing has replaced the pair, and nobody has taken over. */
  counts(claim: ModelClaim): boolean {
    return claim.version === this.version && claim.id === this.lease?.id;
  }

  refreshed(): void {
    this.version += 1;
    this.status = 'alive';
    this.suspectSinceMs = null;
    this.accessEndsMs = this.nowMs + 2 * HOUR_MS;
    this.failures = 0;
    this.lease = null;
    this.isKept = true;
  }

  /** @param failure undefined: it was not sent. */
  notRefreshed(claim: ModelClaim, failure: RefreshFailure | undefined): void {
    this.lease = null;
    this.isKept = true;
    if (failure === 'later') this.failures += 1;
    // What was learnt of the pair since the refresh began is newer.
    if (failure === 'rejected' && claim.suspectSinceMs === this.suspectSinceMs) this.rejected();
  }

  /** WeChat has rejected the pair, to whatever call. */
  rejected(): void {
    if (this.status === 'alive') {
      this.status = 'suspect';
      this.suspectSinceMs = this.nowMs;
    } else if (this.nowMs >= (this.suspectSinceMs ?? Infinity) + 5 * MINUTE_MS && this.status === 'suspect') {
      this.status = 'dead';
      this.stopKeeping();
    }
  }

  profileRead(): void {
    this.ability = 'able';
    this.status = 'alive';
    this.suspectSinceMs = null;
  }

  /**
   * 48001 or 50001, of the pair of an authorization and of all that it is refreshed to. Of one that came with a consent it
   * says, for the first time, that the consent has ended.
   *
   * @param refreshEndsMs what tells authorizations apart.
   * @returns whether the host is told.
   */
  profileRefused(scope: 'base' | 'userinfo', refreshEndsMs: number): boolean {
    const isLatest = scope === this.scope && refreshEndsMs === this.refreshEndsMs;
    if (!isLatest || this.ability === 'unable') return false;
    this.ability = 'unable';
    this.stopKeeping();
    if (scope === 'userinfo') this.endConsent();
    return scope === 'userinfo';
  }

  requireConsent(): void {
    this.endConsent();
    this.stopKeeping();
    this.isPopupWanted = true;
  }

  /** @returns what the host is told. */
  review(): 'due' | 'required' | null {
    if (this.reviewMs === null || this.consentEndsMs === null || this.nowMs < this.reviewMs) return null;
    const before = this.notice;
    const endsMs = Math.min(this.consentEndsMs, this.refreshEndsMs);
    if (this.nowMs >= endsMs) {
      this.notice = 'required';
      this.reviewMs = null;
      this.stopKeeping();
    } else {
      this.notice = 'due';
      this.reviewMs = endsMs;
    }
    return this.notice === before ? null : this.notice;
  }

  /** @returns whether the user is asked again: once in 24 hours. */
  ask(): boolean {
    const mayAsk = this.notice === 'due' && (this.askedMs === null || this.nowMs >= this.askedMs + DAY_MS);
    if (mayAsk) this.askedMs = this.nowMs;
    return mayAsk;
  }

  private endConsent(): void {
    this.consentEndsMs = this.nowMs;
    this.notice = 'required';
    this.reviewMs = null;
  }

  /** Nothing that is under way brings it back. */
  private stopKeeping(): void {
    this.isKept = false;
    this.lease = null;
  }
}

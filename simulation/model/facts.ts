import type { ConsentNotice, PairAbility, PairStatus } from '../../src/grants/wechat-grant.entity.js';
import type { Screen, VisitEnd } from '../world/phone.js';

export type Scope = 'base' | 'userinfo';

/** What an answer of WeChat's comes to. */
export type AnswerOutcome =
  | 'ok'
  /** The token is not taken: 40001, 40030, 42001, 42002, 42007. */
  | 'rejected'
  /** The token is taken, and the profile not given: 48001, 50001. */
  | 'refused'
  /** Everything that says nothing about the user: an outage, a quota, half an answer. */
  | 'failed';

/** WeChat has answered an instance. */
export interface AnswerFact {
  readonly kind: 'answer';
  readonly openid: string;
  readonly instance: number;
  readonly endpoint: 'token' | 'refresh' | 'userinfo' | 'auth';
  readonly outcome: AnswerOutcome;
  readonly errcode?: number;
  /** The refresh token, by which a pair is known. */
  readonly pair: string;
  readonly accessToken: string;
  /** Of an exchange: what it was for. */
  readonly scope?: Scope;
  readonly isDelivered: boolean;
}

/** A user, or the host, has done something that changes what is true. */
export interface ActFact {
  readonly kind: 'act';
  readonly openid: string;
  readonly act:
    | 'password-changed'
    | 'consent-withdrawn'
    /** The host has asked for a new consent. */
    | 'consent-required'
    | 'forgotten'
    | 'signed-out'
    /** The browser's cookies are gone. */
    | 'cookies-lost';
  readonly phone?: number;
  /** Whether it is not known if it has come through: the instance was killed over it. */
  readonly isUncertain?: boolean;
}

/** Somebody has opened a page. */
export interface VisitFact {
  readonly kind: 'visit';
  readonly openid: string;
  readonly phone: number;
  readonly scope: Scope;
  readonly end: VisitEnd;
  readonly screens: readonly Screen[];
  readonly seenAs: string | undefined;
  readonly sawWechat: boolean;
  readonly last: string;
  readonly refuses: boolean;
}

/** A job of the host's has got an access token. */
export interface ServedFact {
  readonly kind: 'served';
  readonly openid: string;
  readonly instance: number;
  readonly accessToken: string;
}

/** A job of the host's has got an error instead of a token or a profile. */
export interface NotServedFact {
  readonly kind: 'not-served';
  readonly openid: string;
  readonly instance: number;
  readonly error: string;
}

/** The host was told something by an event. */
export interface EventFact {
  readonly kind: 'event';
  readonly openid: string;
  readonly instance: number;
  readonly name: string;
  readonly reason?: string;
}

/** A key has been retired; what was sealed before the instant is sealed by it. */
export interface KeyRetiredFact {
  readonly kind: 'key-retired';
  readonly promotedAtMs: number;
}

/** What is in the table, as far as it matters. */
export interface GrantRow {
  readonly openid: string;
  /** The refresh token, opened. */
  readonly pair: string;
  readonly status: PairStatus;
  readonly ability: PairAbility;
  readonly notice: ConsentNotice | null;
  readonly consentExpiresAtMs: number | null;
  readonly accessExpiresAtMs: number;
}

/** The whole table, at a moment when nothing is under way. */
export interface RowsFact {
  readonly kind: 'rows';
  readonly rows: ReadonlyMap<string, GrantRow>;
}

export type Fact =
  AnswerFact | ActFact | VisitFact | ServedFact | NotServedFact | EventFact | KeyRetiredFact | RowsFact;

/**
 * What has happened at one instant of emulated time, in no order that anybody could rely on: what is known in a phase is
 * what was known before it.
 */
export interface Phase {
  readonly atMs: number;
  readonly facts: readonly Fact[];
  /** The instances that were killed meanwhile: what they were told may or may not be stored. */
  readonly killed: ReadonlySet<number>;
  /** Since when nothing has stood in the way: no fault of WeChat's, no instance killed or missing. */
  readonly calmSinceMs: number;
}

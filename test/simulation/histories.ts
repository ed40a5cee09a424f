import type { Invariant } from '../../simulation/invariants/invariant.js';
import type { AnswerFact, EventFact, Fact, GrantRow, VisitFact } from '../../simulation/model/facts.js';
import { History } from '../../simulation/model/history.js';
import { Model } from '../../simulation/model/model.js';
import { DAY_MS, HOUR_MS } from '../../simulation/model/times.js';

export const OPENID = 'oUser';
const BEGIN_MS = Date.UTC(2026, 0, 1);

export interface PhaseOptions {
  /** The instances that are killed meanwhile. */
  killed?: readonly number[];
  /** Whether something has been in the way just now. */
  isTroubled?: boolean;
}

/** A history that a test writes by hand, and what an invariant finds in it. */
export class TestHistory {
  private readonly model = new Model();
  private readonly history: History;

  constructor(invariant: Invariant) {
    this.history = new History(this.model, [invariant], () => undefined);
  }

  /** @param day when it happens, in days from the beginning. */
  at(day: number, facts: readonly Fact[], { killed = [], isTroubled = false }: PhaseOptions = {}): this {
    const atMs = BEGIN_MS + day * DAY_MS;
    this.history.add({
      atMs,
      facts,
      killed: new Set(killed),
      calmSinceMs: isTroubled ? atMs : atMs - 2 * HOUR_MS,
    });
    return this;
  }

  /** What was expected and what was seen, of every violation. */
  get findings(): string[] {
    return this.history.violations.map(({ expected, seen }) => `${expected}: ${seen}`);
  }
}

/** A user signs in: WeChat gives out a pair, by its name, with an access token. */
export function signedIn(
  pair: string,
  scope: 'base' | 'userinfo' = 'userinfo',
  more: Partial<AnswerFact> = {},
): AnswerFact {
  return answer('token', 'ok', { pair, accessToken: `${pair}-1`, scope, ...more });
}

export function answer(
  endpoint: AnswerFact['endpoint'],
  outcome: AnswerFact['outcome'],
  more: Partial<AnswerFact> = {},
): AnswerFact {
  return {
    kind: 'answer',
    openid: OPENID,
    instance: 0,
    endpoint,
    outcome,
    pair: 'a',
    accessToken: 'a-1',
    isDelivered: true,
    ...more,
  };
}

export function refreshed(accessToken: string, more: Partial<AnswerFact> = {}): AnswerFact {
  return answer('refresh', 'ok', { accessToken, ...more });
}

export function served(accessToken: string): Fact {
  return { kind: 'served', openid: OPENID, instance: 0, accessToken };
}

export function visited(more: Partial<VisitFact> = {}): VisitFact {
  return {
    kind: 'visit',
    openid: OPENID,
    phone: 0,
    scope: 'userinfo',
    end: 'served',
    screens: [],
    seenAs: OPENID,
    sawWechat: true,
    last: '200 /userinfo',
    refuses: false,
    ...more,
  };
}

export function event(name: string, reason?: string): EventFact {
  return { kind: 'event', openid: OPENID, instance: 0, name, ...(reason !== undefined && { reason }) };
}

/** @param endsOnDay when the access token ends, and `consentEndsOnDay` the consent, in days from the beginning. */
export function rowOf(
  more: Partial<GrantRow> = {},
  { endsOnDay = 100, consentEndsOnDay = 30 }: { endsOnDay?: number; consentEndsOnDay?: number } = {},
): Fact {
  const row: GrantRow = {
    openid: OPENID,
    pair: 'a',
    status: 'alive',
    ability: 'able',
    notice: null,
    consentExpiresAtMs: BEGIN_MS + consentEndsOnDay * DAY_MS,
    accessExpiresAtMs: BEGIN_MS + endsOnDay * DAY_MS,
    ...more,
  };
  return { kind: 'rows', rows: new Map([[OPENID, row]]) };
}

export function noRows(): Fact {
  return { kind: 'rows', rows: new Map() };
}

export function act(
  what: Extract<Fact, { kind: 'act' }>['act'],
  more: Partial<Extract<Fact, { kind: 'act' }>> = {},
): Fact {
  return { kind: 'act', openid: OPENID, act: what, ...more };
}

import type { EventFact, GrantRow, Phase } from '../model/facts.js';
import type { KnownPair, KnownUser } from '../model/known.user.js';
import type { Model } from '../model/model.js';
import { CONSENT_MS, MINUTE_MS, TOLERANCE_MS } from '../model/times.js';
import { factsOf, type Finding, instant, type Invariant } from './invariant.js';

/** Between two rejections that mean that a pair is dead. */
const SUSPICION_MS = 5 * MINUTE_MS - TOLERANCE_MS;

/** No grant is marked, and the host told of none, without an answer of WeChat's or an end that says so. */
export class WrongMarks implements Invariant {
  readonly name = 'no grant marked wrongly';
  /** All rejections of a pair that any instance was told, also those that a success has cured. */
  private readonly rejections = new Map<string, number[]>();

  check(phase: Phase, known: Model): Finding[] {
    for (const answer of factsOf(phase, 'answer')) {
      // Which of two pairs is alive was asked, and not answered: that makes a pair suspect as well.
      const isInDoubt = answer.endpoint === 'auth' && answer.outcome === 'failed';
      if (answer.outcome !== 'rejected' && !isInDoubt) continue;
      this.rejections.set(answer.pair, [...(this.rejections.get(answer.pair) ?? []), phase.atMs]);
    }
    const rows = factsOf(phase, 'rows').flatMap(({ rows: all }) => [...all.values()]);
    return [
      ...rows.flatMap((row) => this.findingsOfRow(row, phase.atMs, known)),
      ...factsOf(phase, 'event').flatMap((event) => this.findingsOfEvent(event, phase, known)),
    ];
  }

  private findingsOfRow(row: GrantRow, atMs: number, known: Model): Finding[] {
    const { openid } = row;
    const user = known.user(openid);
    const pair = known.pair(row.pair);
    const findings: Finding[] = [];
    const add = (expected: string, seen: string): void => void findings.push({ openid, expected, seen });
    const rejections = this.rejections.get(row.pair) ?? [];
    if (row.status === 'suspect' && rejections.length === 0) {
      add('an alive pair, as WeChat has rejected it never', 'a suspect one');
    }
    if (row.status === 'dead' && !isDeadBy(rejections)) {
      add(
        `a pair that lives, as WeChat has rejected it ${rejections.length > 0 ? `at ${rejections.map(instant).join(', ')} only` : 'never'}`,
        'a dead one',
      );
    }
    if (row.ability === 'unable' && pair && !mayBeUnable(pair)) {
      add('a pair that may read the profile, as WeChat has refused it never', 'the mark "unable"');
    }
    const { consent } = user;
    if (user.isConsentUncertain || !consent) return findings;
    if (row.notice === 'due' && atMs < user.dueAtMs - TOLERANCE_MS) {
      add(`no mark before ${instant(user.dueAtMs)}`, 'the mark "due"');
    }
    if (row.notice === 'required' && !hasEnded(user, atMs)) {
      add(`no mark "required" before ${instant(user.endsAtMs)}`, 'the mark "required"');
    }
    const endMs = consent.atMs + CONSENT_MS;
    if ((row.consentExpiresAtMs ?? 0) < endMs - TOLERANCE_MS && consent.endedAtMs === undefined) {
      add(
        `a consent until ${instant(endMs)}`,
        row.consentExpiresAtMs === null ? 'no consent' : `one until ${instant(row.consentExpiresAtMs)}`,
      );
    }
    return findings;
  }

  private findingsOfEvent({ openid, name, reason }: EventFact, phase: Phase, known: Model): Finding[] {
    const user = known.user(openid);
    if (user.isConsentUncertain || isSigningIn(openid, phase)) return [];
    const finding = (expected: string): Finding[] => [
      { openid, expected, seen: `the event ${name}${reason === undefined ? '' : `, ${reason}`}` },
    ];
    if (name === 'wechat.consent-due' && phase.atMs < user.dueAtMs - TOLERANCE_MS) {
      return finding(`nothing before ${instant(user.dueAtMs)}`);
    }
    if (name !== 'wechat.consent-required') return [];
    const answers = factsOf(phase, 'answer').filter((answer) => answer.openid === openid);
    switch (reason) {
      case 'expired':
        return hasEnded(user, phase.atMs) ? [] : finding(`nothing before ${instant(user.endsAtMs)}`);
      case 'refused':
        return answers.some(({ outcome }) => outcome === 'refused')
          ? []
          : finding('a refusal of WeChat before it');
      case 'rejected':
        return [...user.possiblePairs].some((pair) => isDeadBy(this.rejections.get(pair) ?? []))
          ? []
          : finding('two rejections of WeChat before it');
      case 'requested':
        return factsOf(phase, 'act').some((act) => act.openid === openid && act.act === 'consent-required')
          ? []
          : finding('that the host has asked for it');
      default:
        return finding('a reason that there is');
    }
  }
}

function isDeadBy(rejections: readonly number[]): boolean {
  const [first] = rejections;
  const last = rejections.at(-1);
  return first !== undefined && last !== undefined && last - first >= SUSPICION_MS;
}

function mayBeUnable(pair: KnownPair): boolean {
  return pair.refusedAtMs !== undefined || (pair.scope === 'base' && !pair.hadConsent);
}

function hasEnded(user: KnownUser, atMs: number): boolean {
  return user.consent?.endedAtMs !== undefined || atMs >= user.endsAtMs - TOLERANCE_MS;
}

function isSigningIn(openid: string, phase: Phase): boolean {
  return factsOf(phase, 'answer').some((one) => one.openid === openid && one.endpoint === 'token');
}

import type { GrantRow, Phase } from '../model/facts.js';
import type { KnownUser } from '../model/known.user.js';
import type { Model } from '../model/model.js';
import { CONSENT_MS, STEP_MS } from '../model/times.js';
import { factsOf, type Finding, instant, type Invariant } from './invariant.js';

/** A sweep has been there by then. */
const GRACE_MS = 2 * STEP_MS;

/** Whose consent ends soon, or has ended, is marked in time, and the host is told once. */
export class DueMarks implements Invariant {
  readonly name = 'no due grant unmarked';

  check(phase: Phase, known: Model): Finding[] {
    const findings = factsOf(phase, 'rows').flatMap(({ rows }) =>
      [...rows.values()].flatMap((row) => this.findingsOf(row, known.user(row.openid), phase.atMs, known)),
    );
    return [...findings, ...this.repeatedEvents(phase, known)];
  }

  private findingsOf(row: GrantRow, user: KnownUser, atMs: number, known: Model): Finding[] {
    const { openid, consent } = user;
    if (!consent || user.isConsentUncertain || user.possiblePairs.size !== 1) return [];
    const endsAtMs = Math.min(user.endsAtMs, consent.endedAtMs ?? Infinity);
    const findings: Finding[] = [];
    const wasDue = atMs > user.dueAtMs + GRACE_MS;
    const hasEnded = atMs > endsAtMs + GRACE_MS;
    if (hasEnded && row.notice !== 'required') {
      findings.push({
        openid,
        expected: `the mark "required" since ${instant(endsAtMs)}`,
        seen: `the mark ${row.notice ?? 'none'}`,
      });
    } else if (wasDue && row.notice === null) {
      findings.push({ openid, expected: `the mark "due" since ${instant(user.dueAtMs)}`, seen: 'no mark' });
    }
    // Whoever is killed between the mark and the event tells nobody.
    const wasKilled = (sinceMs: number): boolean => known.killedAtMs >= sinceMs - GRACE_MS;
    if (hasEnded && consent.endEvents === 0 && !wasKilled(endsAtMs)) {
      findings.push({
        openid,
        expected: `the event wechat.consent-required after ${instant(endsAtMs)}`,
        seen: 'no event',
      });
    }
    if (wasDue && !hasEnded && consent.dueEvents === 0 && !wasKilled(user.dueAtMs)) {
      findings.push({
        openid,
        expected: `the event wechat.consent-due after ${instant(user.dueAtMs)}`,
        seen: 'no event',
      });
    }
    return findings;
  }

  /** An end is told once. What the host asks for is told as often as it asks. */
  private repeatedEvents(phase: Phase, known: Model): Finding[] {
    return factsOf(phase, 'event').flatMap(({ openid, name, reason }) => {
      const { consent, isConsentUncertain } = known.user(openid);
      // A sign-in of the same moment may have brought another consent.
      const hasSignedIn = factsOf(phase, 'answer').some(
        (answer) => answer.openid === openid && answer.endpoint === 'token',
      );
      if (!consent || isConsentUncertain || hasSignedIn) return [];
      const isRepeated =
        name === 'wechat.consent-due'
          ? consent.dueEvents > 0
          : name === 'wechat.consent-required' && isEnd(reason) && consent.endEvents > 0;
      if (!isRepeated) return [];
      return {
        openid,
        expected: `the event ${name} once for the consent of ${instant(consent.atMs)} to ${instant(consent.atMs + CONSENT_MS)}`,
        seen: `the event once more${reason === undefined ? '' : `, ${reason}`}`,
      };
    });
  }
}

/** Whether it is the consent that has ended; a pair may be rejected while the consent lasts. */
function isEnd(reason: string | undefined): boolean {
  return reason === 'expired' || reason === 'refused';
}

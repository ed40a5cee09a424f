import type { GrantRow, NotServedFact, Phase, VisitFact } from '../model/facts.js';
import type { KnownUser } from '../model/known.user.js';
import type { Model } from '../model/model.js';
import { DOUBTLESS_MS, RECOVERY_MS, SESSION_MS, TOLERANCE_MS } from '../model/times.js';
import { factsOf, type Finding, instant, type Invariant } from './invariant.js';

/**
 * Who has signed in has a row with the pair that WeChat gave out last; a grant that can be alive is, without the user;
 * sessions hold; and a visit that nothing stands in the way of ends at its page.
 */
export class NothingLost implements Invariant {
  readonly name = 'nothing lost';
  /** By browser: since when there is a session. */
  private readonly sessions = new Map<string, number>();

  check(phase: Phase, known: Model): Finding[] {
    this.endSessions(phase);
    return [
      ...factsOf(phase, 'rows').flatMap(({ rows }) =>
        [...known.allUsers].flatMap((user) => this.findingsOfRow(rows.get(user.openid), user, phase, known)),
      ),
      ...factsOf(phase, 'not-served').flatMap((fact) => this.findingsOfJob(fact, phase, known)),
      ...factsOf(phase, 'visit').flatMap((visit) => this.findingsOfVisit(visit, phase)),
    ];
  }

  private findingsOfRow(row: GrantRow | undefined, user: KnownUser, phase: Phase, known: Model): Finding[] {
    const { openid } = user;
    if (!row) {
      return user.hasSignedIn ? [{ openid, expected: 'a row, as the user has signed in', seen: 'none' }] : [];
    }
    const findings: Finding[] = [];
    if (user.possiblePairs.size > 0 && !user.possiblePairs.has(row.pair)) {
      const stored = known.pair(row.pair);
      findings.push({
        openid,
        expected: `the pair that WeChat has given out at ${instant(user.pair?.issuedAtMs ?? NaN)}`,
        seen: stored ? `that of ${instant(stored.issuedAtMs)}` : 'one that WeChat has never given out',
      });
    }
    const isAlive = row.accessExpiresAtMs > phase.atMs - TOLERANCE_MS;
    if (isCalm(phase) && user.isAble(phase.atMs, known.rememberConsents) && !isAlive) {
      findings.push({
        openid,
        expected: 'an access token that is kept alive',
        seen: `one that has ended at ${instant(row.accessExpiresAtMs)}`,
      });
    }
    return findings;
  }

  private findingsOfJob({ openid, error, instance }: NotServedFact, phase: Phase, known: Model): Finding[] {
    if (!isCalm(phase) || !known.user(openid).isAble(phase.atMs, known.rememberConsents)) return [];
    // A sign-in of the same moment may have replaced the pair.
    if (factsOf(phase, 'answer').some((one) => one.openid === openid && one.endpoint === 'token')) return [];
    return [
      {
        openid,
        expected: 'a token without the user, as the consent is live and the pair able',
        seen: `${error} of instance ${String(instance)}`,
      },
    ];
  }

  private findingsOfVisit(visit: VisitFact, phase: Phase): Finding[] {
    const { openid, end, seenAs, sawWechat, scope, last } = visit;
    const browser = `${openid}/${String(visit.phone)}`;
    const since = this.sessions.get(browser);
    const findings: Finding[] = [];
    const add = (expected: string, seen: string): void => void findings.push({ openid, expected, seen });
    if (end === 'served' && seenAs !== openid)
      add(`to be known as ${openid}`, `known as ${seenAs ?? 'nobody'}`);
    if (scope === 'base' && since !== undefined && end !== 'cut-off') {
      const ageMs = phase.atMs - since + TOLERANCE_MS;
      const how = `${end}${sawWechat ? ' by way of WeChat' : ''} (${last})`;
      if (ageMs < DOUBTLESS_MS && (end !== 'served' || sawWechat)) {
        add(`a base page by the session of ${instant(since)}`, how);
      } else if (ageMs < SESSION_MS && end !== 'served' && !hasLeftWhenAsked(visit)) {
        add(`to get to a base page, as there is the session of ${instant(since)}`, how);
      }
    }
    const isOwnDoing = end === 'left' || (end === 'denied' && visit.refuses);
    if (isCalm(phase) && end !== 'served' && !isOwnDoing) add('to get to the page', `${end} (${last})`);
    if (end === 'served' && (sawWechat || since === undefined)) this.sessions.set(browser, phase.atMs);
    return findings;
  }

  private endSessions(phase: Phase): void {
    for (const { openid, act, phone } of factsOf(phase, 'act')) {
      if (act === 'signed-out' || act === 'cookies-lost')
        this.sessions.delete(`${openid}/${String(phone ?? 0)}`);
      if (act === 'forgotten') for (const one of [0, 1]) this.sessions.delete(`${openid}/${String(one)}`);
    }
    for (const { promotedAtMs } of factsOf(phase, 'key-retired')) {
      for (const [browser, since] of this.sessions) if (since <= promotedAtMs) this.sessions.delete(browser);
    }
  }
}

/** Whether whatever was put off by the last trouble has been caught up on. */
function isCalm({ atMs, calmSinceMs }: Phase): boolean {
  return atMs - calmSinceMs >= RECOVERY_MS;
}

/** Whether there was cause to ask is for another invariant. */
function hasLeftWhenAsked({ end, screens }: VisitFact): boolean {
  return end === 'left' && screens.includes('consent');
}

import type { ActFact, Phase, VisitFact } from '../model/facts.js';
import type { Model } from '../model/model.js';
import { DOUBTLESS_MS, TOLERANCE_MS } from '../model/times.js';
import { factsOf, type Finding, type Invariant } from './invariant.js';

/** Nobody is asked anything without a cause: for a consent that is not live, or to sign in again after a sign-out. */
export class ConsentScreens implements Invariant {
  readonly name = 'no consent screen without cause';
  /** Browsers in which somebody has signed out, and not in again. */
  private readonly signedOut = new Set<string>();
  /** By browser: when WeChat last told who is there. */
  private readonly toldAt = new Map<string, number>();

  check(phase: Phase, known: Model): Finding[] {
    for (const act of factsOf(phase, 'act')) this.noteAct(act);
    return factsOf(phase, 'visit').flatMap((visit) => {
      const findings = this.findingsOf(visit, phase, known);
      if (visit.end === 'served') this.signedOut.delete(browserOf(visit));
      if (visit.end === 'served' && visit.sawWechat) this.toldAt.set(browserOf(visit), phase.atMs);
      return findings;
    });
  }

  private noteAct(act: ActFact): void {
    if (act.act === 'signed-out') this.signedOut.add(browserOf(act));
    if (act.act === 'cookies-lost') this.signedOut.delete(browserOf(act));
    // All of the user's browsers bring a session that is over.
    if (act.act === 'forgotten') for (const phone of [0, 1]) this.signedOut.add(browserOf({ ...act, phone }));
  }

  private findingsOf(visit: VisitFact, phase: Phase, known: Model): Finding[] {
    const { openid, screens, scope } = visit;
    const user = known.user(openid);
    // WeChat may have told meanwhile that the consent is over.
    const isLive = user.isConsentLive(phase.atMs) && !isRefused(openid, phase);
    const count = (screen: string): number => screens.filter((one) => one === screen).length;
    const findings: Finding[] = [];
    const add = (expected: string, seen: string): void => void findings.push({ openid, expected, seen });
    // The page finds out who has the phone, silently as far as we know; but the consent was taken back behind our back.
    const mayAsk = isLive && user.isWithdrawn && this.mayFindOut(visit, phase);
    if (scope === 'base' && (count('explain') > 0 || (count('consent') > 0 && !mayAsk))) {
      add('a base page that asks for nothing', screens.join(', '));
    }
    if (isLive && count('explain') > 0) add('no explanation, as the consent is live', screens.join(', '));
    if (isLive && !user.isWithdrawn && count('consent') > 0) {
      add('no consent page of WeChat, as the consent is live', screens.join(', '));
    }
    if ((count('consent') > 1 || count('explain') > 1) && !wasLost(openid, phase)) {
      add('to be asked once', screens.join(', '));
    }
    if (count('sign-in-again') > 0 && !this.signedOut.has(browserOf(visit))) {
      add('to be signed in silently, as nobody has signed out', screens.join(', '));
    }
    return findings;
  }

  /** Whether there has been a session for long enough that a page finds out whether it is still its user. */
  private mayFindOut(visit: VisitFact, { atMs }: Phase): boolean {
    const toldAt = this.toldAt.get(browserOf(visit));
    return toldAt !== undefined && atMs - toldAt >= DOUBTLESS_MS - TOLERANCE_MS;
  }
}

function isRefused(openid: string, phase: Phase): boolean {
  return factsOf(phase, 'answer').some((answer) => answer.openid === openid && answer.outcome === 'refused');
}

/** Whether what the user has agreed to got lost, so that nobody but WeChat knows of it. */
function wasLost(openid: string, phase: Phase): boolean {
  return factsOf(phase, 'answer').some(
    (answer) =>
      answer.openid === openid &&
      answer.endpoint === 'token' &&
      (answer.outcome !== 'ok' || !answer.isDelivered),
  );
}

function browserOf({ openid, phone = 0 }: { openid: string; phone?: number }): string {
  return `${openid}/${String(phone)}`;
}

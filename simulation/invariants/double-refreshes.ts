import type { AnswerFact, Phase } from '../model/facts.js';
import { isTold } from '../model/model.js';
import { ACCESS_TOKEN_MS, MINUTE_MS, TOLERANCE_MS } from '../model/times.js';
import { factsOf, type Finding, instant, type Invariant } from './invariant.js';

/** The earliest that a refresh may come due: the lead time before the end, and a tenth of the life, by which they are spread. */
const EARLIEST_MS = ACCESS_TOKEN_MS - 10 * MINUTE_MS - ACCESS_TOKEN_MS / 10 - TOLERANCE_MS;

interface LastRefresh {
  atMs: number;
  instance: number;
}

/**
 * What is due is refreshed once, on however many instances. A second time is right where the first answer was lost on the
 * way or with the instance, and where WeChat has rejected the token that it brought.
 */
export class DoubleRefreshes implements Invariant {
  readonly name = 'no refresh twice for one due time';
  private readonly last = new Map<string, LastRefresh>();

  check(phase: Phase): Finding[] {
    const findings: Finding[] = [];
    for (const answer of factsOf(phase, 'answer')) {
      if (answer.outcome === 'rejected') this.last.delete(answer.pair);
      if (!isRefresh(answer)) continue;
      const before = this.last.get(answer.pair);
      if (before && phase.atMs - before.atMs < EARLIEST_MS) {
        findings.push({
          openid: answer.openid,
          expected: `one refresh, that of instance ${String(before.instance)} at ${instant(before.atMs)}`,
          seen: `another one, by instance ${String(answer.instance)}`,
        });
      }
      if (isTold(answer, phase.killed)) {
        this.last.set(answer.pair, { atMs: phase.atMs, instance: answer.instance });
      }
    }
    return findings;
  }
}

function isRefresh({ endpoint, outcome }: AnswerFact): boolean {
  return endpoint === 'refresh' && outcome === 'ok';
}

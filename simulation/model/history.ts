import type { Finding, Invariant } from '../invariants/invariant.js';
import type { Fact, Phase } from './facts.js';
import type { Model } from './model.js';

/** How many of a user's last events are told with a violation; refreshes are a dozen a day, and would leave no room. */
const REMEMBERED = { refresh: 6, other: 16 };

interface Entry {
  atMs: number;
  line: string;
}

type Journal = Record<keyof typeof REMEMBERED, Entry[]>;

export interface Violation extends Finding {
  readonly invariant: string;
  readonly atMs: number;
  /** What has happened to the user before, oldest first. */
  readonly before: readonly string[];
}

/** Hands what happens to the invariants, phase by phase, and keeps enough of it to understand a violation. */
export class History {
  private readonly journals = new Map<string, Journal>();
  /** What was reported: a row that is wrong stays so for a while, and is one violation. */
  private readonly reported = new Set<string>();
  readonly violations: Violation[] = [];

  constructor(
    readonly model: Model,
    private readonly invariants: readonly Invariant[],
    private readonly onViolation: (violation: Violation) => void,
  ) {}

  /** Everything that has happened at one instant. */
  add(phase: Phase): void {
    for (const fact of phase.facts) this.note(fact, phase);
    for (const invariant of this.invariants) {
      for (const finding of invariant.check(phase, this.model)) {
        this.report(invariant.name, finding, phase.atMs);
      }
    }
    this.model.apply(phase);
  }

  report(invariant: string, finding: Finding, atMs: number): void {
    const mark = [invariant, finding.openid, finding.expected, finding.seen].join('\n');
    if (this.reported.has(mark)) return;
    this.reported.add(mark);
    const violation = { ...finding, invariant, atMs, before: this.linesOf(finding.openid) };
    this.violations.push(violation);
    this.onViolation(violation);
  }

  private linesOf(openid: string | undefined): string[] {
    const journal = this.journals.get(openid ?? '');
    const entries = [...(journal?.refresh ?? []), ...(journal?.other ?? [])];
    return entries
      .sort((one, other) => one.atMs - other.atMs)
      .map(({ atMs, line }) => `${new Date(atMs).toISOString()} ${line}`);
  }

  private note(fact: Fact, { atMs, killed }: Phase): void {
    const line = lineOf(fact, killed);
    if (line === undefined || !('openid' in fact)) return;
    let journal = this.journals.get(fact.openid);
    if (!journal) this.journals.set(fact.openid, (journal = { refresh: [], other: [] }));
    const kind = fact.kind === 'answer' && fact.endpoint === 'refresh' ? 'refresh' : 'other';
    journal[kind].push({ atMs, line });
    if (journal[kind].length > REMEMBERED[kind]) journal[kind].shift();
  }
}

/** @returns a line without secrets. */
function lineOf(fact: Fact, killed: ReadonlySet<number>): string | undefined {
  switch (fact.kind) {
    case 'answer': {
      const { instance, endpoint, outcome, errcode, scope, isDelivered } = fact;
      const fate = killed.has(instance) ? ', killed' : isDelivered ? '' : ', lost on the way';
      const code = errcode === undefined ? '' : ` ${String(errcode)}`;
      return `WeChat to instance ${String(instance)}: ${endpoint} ${outcome}${code}${scope ? ` (${scope})` : ''}${fate}`;
    }
    case 'act':
      return `${fact.act}${fact.phone === undefined ? '' : `, phone ${String(fact.phone)}`}${fact.isUncertain ? ', perhaps' : ''}`;
    case 'visit': {
      const screens = fact.screens.length > 0 ? `, asked: ${fact.screens.join(', ')}` : '';
      const by = fact.sawWechat ? ' by WeChat' : '';
      return `phone ${String(fact.phone)} at the ${fact.scope} page: ${fact.end}${by}${screens}`;
    }
    case 'served':
      return `a job at instance ${String(fact.instance)} gets a token`;
    case 'not-served':
      return `a job at instance ${String(fact.instance)} gets ${fact.error}`;
    case 'event':
      // As often as there are refreshes, which are there already.
      if (fact.name === 'wechat.refreshed') return undefined;
      return `event ${fact.name}${fact.reason === undefined ? '' : ` (${fact.reason})`} of instance ${String(fact.instance)}`;
    case 'key-retired':
    case 'rows':
      return undefined;
  }
}

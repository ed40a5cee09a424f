import type { Counts } from '../counts.js';
import type { Finding, Invariant } from '../invariants/invariant.js';
import { Secrets } from '../invariants/secrets.js';
import type { Fact } from '../model/facts.js';
import { History, type Violation } from '../model/history.js';
import type { Model } from '../model/model.js';
import type { EmulatedTime } from './emulated.time.js';
import { PhaseCollector } from './phase.collector.js';
import { Witness } from './witness.js';
import type { WechatCall } from './wire.tap.js';

/** Sees what happens on all sides, and has it looked at. */
export class Observer {
  readonly collector = new PhaseCollector();
  private readonly secrets = new Secrets();
  private readonly history: History;
  private readonly witness = new Witness((what, token) => this.learnSecret(what, token));

  constructor(
    private readonly time: EmulatedTime,
    private readonly counts: Counts,
    model: Model,
    invariants: readonly Invariant[],
    onViolation: (violation: Violation) => void,
  ) {
    this.history = new History(model, invariants, onViolation);
  }

  get violations(): number {
    return this.history.violations.length;
  }

  note(fact: Fact): void {
    this.collector.add(fact);
  }

  /** @param hasGone whether the process that has called was killed in an earlier step, and hears nothing any more. */
  noteCall(call: WechatCall, hasGone: boolean): void {
    const fact = this.witness.factOf(hasGone ? { ...call, isDelivered: false } : call);
    if (!fact) return;
    if (fact.outcome === 'ok' && fact.endpoint === 'token') this.counts.signIns++;
    if (fact.outcome === 'ok' && fact.endpoint === 'refresh') this.counts.refreshes++;
    this.note(fact);
  }

  noteEvent(instance: number, name: string, payload: { openid?: string; reason?: string }): void {
    this.noteOutput('an event', JSON.stringify(payload));
    const { openid, reason } = payload;
    if (openid === undefined) return;
    this.note({ kind: 'event', openid, instance, name, ...(reason !== undefined && { reason }) });
  }

  /** @param where what kind of output the text is. */
  noteOutput(where: string, text: string): void {
    for (const finding of this.secrets.check(where, text)) this.report(this.secrets.name, finding);
  }

  noteCode(code: string, openid: string): void {
    this.learnSecret('an authorization code', code);
    this.witness.learnCode(code, openid);
  }

  learnSecret(what: string, secret: string): void {
    this.secrets.add(what, secret);
  }

  report(invariant: string, finding: Finding): void {
    this.history.report(invariant, finding, this.time.nowMs);
  }

  /** Has the invariants look at what was noted since the last time. */
  endPhase(): void {
    this.history.add(this.collector.take(this.time.nowMs));
  }
}

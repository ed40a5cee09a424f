import type { Counts } from '../counts.js';
import type { WechatEmulator } from '../../src/emulator/index.js';
import { STEP_MS } from '../model/times.js';
import type { Trouble } from '../plan/actions.js';
import type { EmulatedTime } from './emulated.time.js';
import type { Fleet } from './fleet.js';
import type { PhaseCollector } from './phase.collector.js';
import type { CallingProcess } from './wire.tap.js';

type Fault = Extract<Trouble, { kind: 'fault' }>;
type Kill = Extract<Trouble, { kind: 'kill' }>;

/** Lets things go wrong: one fault of WeChat's, and one instance that is away, at a time. */
export class Troubles {
  private kill: { instance: number; answersLeft: number } | undefined;
  /** Which instance comes back in which step. */
  private readonly returns = new Map<number, number>();
  private faultsUntilMs = -Infinity;

  constructor(
    private readonly time: EmulatedTime,
    private readonly counts: Counts,
    private readonly wechat: WechatEmulator,
    private readonly fleet: Fleet,
    private readonly collector: PhaseCollector,
  ) {}

  async begin(troubles: readonly Trouble[], step: number): Promise<void> {
    for (const trouble of troubles) {
      if (trouble.kind === 'kill') this.planKill(trouble, step);
      else await this.fail(trouble);
    }
    const { nowMs } = this.time;
    if (nowMs < this.faultsUntilMs || this.returns.size > 0) this.collector.calmSinceMs = nowMs + STEP_MS;
  }

  /** Brings those back whose step it is; by default all. */
  async bringBack(step = Infinity): Promise<void> {
    for (const [number, at] of this.returns) {
      if (at > step) continue;
      await this.fleet.comeBack(number);
      this.returns.delete(number);
    }
  }

  /** WeChat is about to answer: perhaps it is the answer after which the instance is killed. */
  noteAnswer({ instance, pid }: CallingProcess): void {
    if (this.kill?.instance !== instance || !this.fleet.isServing(instance, pid)) return;
    if (this.kill.answersLeft-- <= 0) this.strike();
  }

  /** Kills at the end of a step whom so few answers went to that it has not been killed over one. */
  strike(): void {
    if (!this.kill) return;
    const { instance } = this.kill;
    this.kill = undefined;
    this.collector.kill(instance);
    this.counts.kills++;
    this.fleet.kill(instance);
  }

  private planKill({ instance, afterAnswers, stepsAway }: Kill, step: number): void {
    // Two at once would be an outage of the application's.
    if (this.returns.size > 0) return;
    this.kill = { instance, answersLeft: afterAnswers };
    this.returns.set(instance, step + stepsAway);
  }

  private async fail({ endpoints, fault, share, durationMs, name }: Fault): Promise<void> {
    // Faults of one endpoint queue up, so a second one would begin late and be no fault of the plan's.
    if (this.time.nowMs < this.faultsUntilMs) return;
    this.faultsUntilMs = this.time.nowMs + durationMs;
    for (const endpoint of endpoints) await this.wechat.failNext(endpoint, fault, { share, durationMs });
    this.counts[COUNTERS[name]]++;
  }
}

const COUNTERS = { outage: 'outages', quota: 'quotas', flaw: 'flaws' } as const;

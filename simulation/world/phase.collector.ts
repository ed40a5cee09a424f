import type { Fact, Phase } from '../model/facts.js';

/** Gathers what happens at one instant, from all sides. */
export class PhaseCollector {
  private facts: Fact[] = [];
  private killed = new Set<number>();
  /** Since when nothing is in the way. */
  calmSinceMs = -Infinity;

  add(fact: Fact): void {
    this.facts.push(fact);
  }

  kill(instance: number): void {
    this.killed.add(instance);
  }

  wasKilled(instance: number): boolean {
    return this.killed.has(instance);
  }

  /** @returns what has been gathered, and begins anew. */
  take(atMs: number): Phase {
    const { facts, killed, calmSinceMs } = this;
    this.facts = [];
    this.killed = new Set();
    return { atMs, facts, killed, calmSinceMs };
  }
}

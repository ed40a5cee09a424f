import type { Fact, Phase } from '../model/facts.js';
import type { Model } from '../model/model.js';

/** Something that must not have happened. */
export interface Finding {
  /** Whom it is about, if about one user. */
  readonly openid?: string;
  readonly expected: string;
  readonly seen: string;
}

/** Something that must hold at every instant. */
export interface Invariant {
  /** As it is named in a violation. */
  readonly name: string;
  /** @param known what was known before the phase. */
  check(phase: Phase, known: Model): Finding[];
}

export function factsOf<Kind extends Fact['kind']>(
  { facts }: Phase,
  kind: Kind,
): Extract<Fact, { kind: Kind }>[] {
  return facts.filter((fact): fact is Extract<Fact, { kind: Kind }> => fact.kind === kind);
}

/** An instant as it is written in a finding. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

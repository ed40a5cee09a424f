import { closeEmulators } from '../emulator.harness.js';

/**
 * How well a fact about WeChat is known. A: Tencent's own page or staff says so. B: two or more independent public
 * captures agree. C: one public report. G: a guess, where nothing is known. CONFLICT: sources disagree, and the
 * emulator has an option for it or follows the better-supported one.
 */
type Confidence = 'A' | 'B' | 'C' | 'G';

/** A row: how well it is known, the fact in one sentence, and what proves that the emulator keeps to it. */
export type Fact = readonly [
  confidence: Confidence | `${Confidence}, CONFLICT`,
  sentence: string,
  check: () => unknown,
];

/** Facts about WeChat, each checked against a running emulator over HTTP. */
export function table(theme: string, facts: readonly Fact[]): void {
  describe(theme, () => {
    afterEach(closeEmulators);

    for (const [confidence, sentence, check] of facts) it(`[${confidence}] ${sentence}`, async () => check());
  });
}

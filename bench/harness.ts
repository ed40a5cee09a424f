/** One line of a suite's result. */
export interface Figure {
  suite: string;
  /** What is compared, `ours/theirs`, or what stands alone. */
  figure: string;
  /** `a` over `b`; null where a figure stands alone. */
  ratio: number | null;
  a: number;
  b: number | null;
  unit: string;
}

export interface Suite {
  name: string;
  /** One line for the list of suites. */
  about: string;
  /** @throws if what it measures does not do its work: a fast failure is no figure. */
  run(): Promise<Figure[]>;
}

/** One side of a comparison: an operation that is repeated. */
export type Operation = () => unknown;

const ROUNDS = 9;
const ROUND_MS = 200;

/**
 * Runs both sides in turns in this one process, so that whatever else the machine is doing meets both, and compares
 * the medians of their operations per second.
 */
export async function compare(suite: string, figure: string, a: Operation, b: Operation): Promise<Figure> {
  progress(`${suite}: ${figure}`);
  await rate(a);
  await rate(b);
  const rates = await inTurns(ROUNDS, [a, b], rate);
  return ratioOf(suite, figure, 'ops/s', median(rates.get(a) ?? []), median(rates.get(b) ?? []));
}

/**
 * Measures every side once in each round. Every second round goes backwards, so that a machine that slows down or
 * speeds up favours nobody.
 */
export async function inTurns<Side>(
  rounds: number,
  sides: readonly Side[],
  measure: (side: Side) => Promise<number>,
): Promise<Map<Side, number[]>> {
  const results = new Map<Side, number[]>(sides.map((side) => [side, []]));
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      results.get(side)?.push(await measure(side));
    }
  }
  return results;
}

/** A figure that compares two sides. */
export function ratioOf(suite: string, figure: string, unit: string, a: number, b: number): Figure {
  return { suite, figure, ratio: a / b, a, b, unit };
}

/** A figure that stands alone. */
export function absolute(suite: string, figure: string, unit: string, value: number): Figure {
  return { suite, figure, ratio: null, a: value, b: null, unit };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Says how far a suite has come; the standard output is for figures alone. */
export function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function rate(operation: Operation): Promise<number> {
  const begin = performance.now();
  let count = 0;
  let elapsedMs = 0;
  do {
    for (let i = 0; i < 16; i++) {
      const result = operation();
      // Waiting for what is no promise would be counted to the side that needs none.
      if (result instanceof Promise) await result;
    }
    count += 16;
    elapsedMs = performance.now() - begin;
  } while (elapsedMs < ROUND_MS);
  return (count / elapsedMs) * 1000;
}

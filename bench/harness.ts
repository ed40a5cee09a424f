/** One line of a suite's result. */
export interface Figure {
  suite: string;
  /** What is compared, `ours/theirs`. */
  figure: string;
  /** `a` over `b`; null where a figure stands alone. */
  ratio: number | null;
  a: number;
  b: number | null;
  unit: string;
}

export interface Suite {
  name: string;
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
  const rates: [number[], number[]] = [[], []];
  await rate(a);
  await rate(b);
  for (let round = 0; round < ROUNDS; round++) {
    rates[0].push(await rate(a));
    rates[1].push(await rate(b));
  }
  const [rateA, rateB] = [median(rates[0]), median(rates[1])];
  return { suite, figure, ratio: rateA / rateB, a: rateA, b: rateB, unit: 'ops/s' };
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

function median(values: number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

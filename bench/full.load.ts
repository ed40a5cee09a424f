import autocannon, { type Options, type Result } from 'autocannon';

export interface FullLoad {
  /** Answers that came. */
  answers: number;
  /** Answers a second. */
  rate: number;
}

/**
 * Asks as much as a server takes: every connection asks again as soon as it has its answer.
 *
 * @param name what messages call the server.
 * @throws {Error} if an answer is not 2xx or not as the options expect it: then the figures say nothing.
 */
export async function loadFully(name: string, options: Options): Promise<FullLoad> {
  let answers = 0;
  // autocannon counts from before its connections are made.
  let startedAt = NaN;
  let endedAt = NaN;
  const { non2xx, errors, mismatches } = await new Promise<Result>((resolve, reject) => {
    const load = autocannon({ sampleInt: 50, ...options }, (error: Error | null, result) => {
      if (error) reject(error);
      else resolve(result);
    });
    load.on('start', () => (startedAt = performance.now()));
    load.on('response', () => {
      answers++;
      endedAt = performance.now();
    });
  });
  if (non2xx + errors + mismatches > 0) {
    throw new Error(
      `${name} failed under load: ${non2xx} answers other than 2xx, ${errors} errors, ${mismatches} wrong bodies.`,
    );
  }
  return { answers, rate: (answers / (endedAt - startedAt)) * 1000 };
}

import { type Figure, median, ratioOf, type Suite } from '../harness.js';
import { ServerProcess } from '../server.process.js';
import { CallLoad } from './call.load.js';
import type { Calls } from './emulator.main.js';

const EMULATOR = new URL('./emulator.main.js', import.meta.url);
const BARE = new URL('./bare.main.js', import.meta.url);
const PAIRS = 9;

/**
 * What the emulator makes of a request, against a server that makes nothing of it and answers with the same bytes.
 *
 * Compared is how many calls each side answers in a second of its own processor time, all threads counted: what it would
 * answer in a second if it were saturated on a processor of its own. Calls in a second of the wall clock say the same
 * only while nothing but the server is the limit, which neither the load nor a machine with other work can promise.
 */
export const emulator: Suite = {
  name: 'emulator',
  about: "calls in a second of CPU time of the emulator's API, against a bare node:http server; 1 minute",
  async run() {
    const ours = await ServerProcess.start<Calls>(EMULATOR, []);
    const { origin, refresh, userinfo } = ours.ready;
    const bare = await ServerProcess.start<{ origin: string }>(BARE, []);
    try {
      const figures: Figure[] = [];
      for (const [name, paths] of Object.entries({ refresh, userinfo })) {
        const body = await answerOf(origin, paths[0] ?? '');
        await fetch(bare.ready.origin, { method: 'PUT', body });
        const sides = [
          new CallLoad(name, origin, paths, ours),
          new CallLoad('bare', bare.ready.origin, paths, bare),
        ] as const;
        for (const side of sides) await side.warmUp();
        figures.push(await compareUnderLoad(name, ...sides));
      }
      return figures;
    } finally {
      await Promise.all([ours.stop(), bare.stop()]);
    }
  },
};

/**
 * Both sides in turns, pair by pair. The ratio is the median of the pairs' ratios, since a machine that slows down in
 * the middle meets both sides of a pair.
 */
async function compareUnderLoad(name: string, ours: CallLoad, bare: CallLoad): Promise<Figure> {
  const pairs: { a: number; b: number }[] = [];
  while (pairs.length < PAIRS) {
    const [first, second] = pairs.length % 2 === 0 ? [ours, bare] : [bare, ours];
    const rates = new Map([
      [first, await first.measure()],
      [second, await second.measure()],
    ]);
    pairs.push({ a: rates.get(ours) ?? NaN, b: rates.get(bare) ?? NaN });
  }
  return {
    ...ratioOf(
      'emulator',
      `${name}/bare-http`,
      'calls/CPU-s',
      median(pairs.map(({ a }) => a)),
      median(pairs.map(({ b }) => b)),
    ),
    ratio: median(pairs.map(({ a, b }) => a / b)),
  };
}

/** @throws if the call fails: an error is a shorter answer, and soon made. */
async function answerOf(origin: string, path: string): Promise<string> {
  const body = await (await fetch(origin + path)).text();
  if (!body.startsWith('{"openid":')) throw new Error(`${path} answered ${body}`);
  return body;
}

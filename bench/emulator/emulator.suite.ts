import { type Figure, median, ratioOf, type Suite } from '../harness.js';
import { ServerProcess } from '../server.process.js';
import { CallLoad } from './call.load.js';
import type { Calls } from './emulator.main.js';

const EMULATOR = new URL('./emulator.main.js', import.meta.url);
const BARE = new URL('./bare.main.js', import.meta.url);
const PAIRS = 7;
const MAX_ATTEMPTS = 40;
const ROUND_MS = 1_500;
/** The part of the time that an event loop has to be busy for its server to count as the limit. */
const BUSY = 0.9;

/** What the emulator makes of a request, against a server that makes nothing of it. */
export const emulator: Suite = {
  name: 'emulator',
  about: "calls a second of the emulator's API, against a bare node:http server; 1 minute",
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
 * Both sides in turns, pair by pair. A pair counts only where both servers were busy: else the load, or whatever else the
 * machine was doing, was the limit. The ratio is the median of the pairs' ratios, since a machine that slows down in the
 * middle meets both sides of a pair.
 */
async function compareUnderLoad(name: string, ours: CallLoad, bare: CallLoad): Promise<Figure> {
  const pairs: { a: number; b: number }[] = [];
  for (let attempt = 0; pairs.length < PAIRS; attempt++) {
    if (attempt === MAX_ATTEMPTS)
      throw new Error('The servers were never busy: is the machine doing other work?');
    const [first, second] = attempt % 2 === 0 ? [ours, bare] : [bare, ours];
    const measured = new Map([
      [first, await first.measure(ROUND_MS)],
      [second, await second.measure(ROUND_MS)],
    ]);
    const [a, b] = [measured.get(ours), measured.get(bare)];
    if (a && b && Math.min(a.busy, b.busy) >= BUSY) pairs.push({ a: a.rate, b: b.rate });
  }
  return {
    ...ratioOf(
      'emulator',
      `${name}/bare-http`,
      'calls/s',
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

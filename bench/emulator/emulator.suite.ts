import { type Figure, inTurns, median, progress, ratioOf, type Suite } from '../harness.js';
import { ServerProcess } from '../server.process.js';
import { CallLoad } from './call.load.js';
import type { Calls } from './emulator.main.js';

const EMULATOR = new URL('./emulator.main.js', import.meta.url);
const BARE = new URL('./bare.main.js', import.meta.url);
const ROUNDS = 7;
const ROUND_MS = 1_500;

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
        const rates = await inTurns(ROUNDS, sides, (side) => side.measure(ROUND_MS));
        const [a, b] = sides.map((side) => median(rates.get(side) ?? [])) as [number, number];
        progress(`emulator: ${name}: ${Math.round(a)} against ${Math.round(b)} calls/s`);
        figures.push(ratioOf('emulator', `${name}/bare-http`, 'calls/s', a, b));
      }
      return figures;
    } finally {
      await Promise.all([ours.stop(), bare.stop()]);
    }
  },
};

/** @throws if the call fails: an error is a shorter answer, and soon made. */
async function answerOf(origin: string, path: string): Promise<string> {
  const body = await (await fetch(origin + path)).text();
  if (!body.startsWith('{"openid":')) throw new Error(`${path} answered ${body}`);
  return body;
}

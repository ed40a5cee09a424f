import { absolute, type Figure, inTurns, median, ratioOf, type Suite } from '../harness.js';
import { withDatabase } from '../postgres.js';
import { ServerProcess } from '../server.process.js';
import type { Route } from './route.js';
import { Side } from './side.js';

const MAIN = new URL('./application.main.js', import.meta.url);
const ROUNDS = 7;
const LATENCY_ROUNDS = 3;

/** One platform: the applications that are compared on it, and which routes of theirs. */
interface Comparison {
  platform: string;
  applications: string[];
  ratios: [a: string, b: string][];
}

const COMPARISONS: readonly Comparison[] = [
  {
    platform: 'express',
    applications: ['express', 'passport-jwt', 'express-session', 'connect-pg-simple'],
    ratios: [
      ['base', 'bare'],
      ['base-first-visit', 'bare'],
      ['userinfo', 'bare'],
      ['base', 'passport-jwt'],
      ['base', 'express-session'],
      ['userinfo', 'connect-pg-simple'],
    ],
  },
  {
    platform: 'fastify',
    applications: ['fastify'],
    ratios: [
      ['base', 'bare'],
      ['base-first-visit', 'bare'],
      ['userinfo', 'bare'],
    ],
  },
];

/** What the guard costs a request, against none and against the guards that people use. */
export const guard: Suite = {
  name: 'guard',
  about: 'requests a second of a trivial handler behind the guard, against none and other guards; 3 minutes',
  run: () =>
    withDatabase(async (databaseUrl) => {
      const figures: Figure[] = [];
      for (const comparison of COMPARISONS) figures.push(...(await measure(comparison, databaseUrl)));
      return figures;
    }),
};

async function measure(
  { platform, applications, ratios }: Comparison,
  databaseUrl: string,
): Promise<Figure[]> {
  const running: ServerProcess<Record<string, Route>>[] = [];
  try {
    for (const name of applications) running.push(await ServerProcess.start(MAIN, [name, databaseUrl]));
    const sides = running.flatMap((application) =>
      Object.entries(application.ready).map(([name, route]) => new Side(name, route, application)),
    );
    for (const side of sides) await side.check();
    for (const side of sides) await side.warmUp();
    const rates = await inTurns(ROUNDS, sides, (side) => side.throughput());
    const maxima = new Map(sides.map((side) => [side.name, median(rates.get(side) ?? [])]));
    const maximumOf = (name: string): number => maxima.get(name) ?? NaN;
    const regular = sides.filter(({ hasRegulars }) => hasRegulars);
    // Half of what the side itself can do.
    const latencies = await inTurns(LATENCY_ROUNDS, regular, (side) =>
      side.latencyP99(maximumOf(side.name) / 2),
    );
    return [
      ...ratios.map(([a, b]) =>
        ratioOf('guard', `${platform}:${a}/${b}`, 'req/s', maximumOf(a), maximumOf(b)),
      ),
      ...regular.map((side) =>
        absolute('guard', `${platform}:${side.name}:p99`, 'ms', median(latencies.get(side) ?? [])),
      ),
    ];
  } finally {
    await Promise.all(running.map((application) => application.stop()));
  }
}

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { withDatabase } from '../../bench/postgres.js';
import { KillRun } from './kill.run.js';

/** The clock goes two hours for each, and consents end after thirty days. */
const MAX_KILLS = 250;

const USAGE = `npm run kills -- [--kills N] [--seed S] [--json]

Kills instances by kill -9, N of them (default 50), one after the other, while people sign in, tokens are refreshed and
keys are changed, and looks after each for what it has lost. Which one dies when is drawn from the seed (default: any).
Progress goes to the standard error; the last line, on the standard output, says what came of it. The exit code is 1 if
anything was lost.

DATABASE_URL names the PostgreSQL server; without it, one is started.
`;

async function main(words: string[]): Promise<number> {
  const command = parse(words);
  if (!command) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { kills, seed, json } = command;
  const begin = performance.now();
  const seconds = (): number => Math.round((performance.now() - begin) / 1000);
  const report = await withDatabase((databaseUrl) =>
    KillRun.run({
      kills,
      seed,
      databaseUrl,
      onKill: (number, aim, { signIns, callbacks, leases }) => {
        tell(
          `kill ${String(number)} of ${String(kills)} (${aim}), ${String(seconds())} s: ${String(signIns)} sign-ins, ` +
            `${String(callbacks)} callbacks and ${String(leases)} refreshes interrupted`,
        );
      },
    }),
  );
  const { lost, ...counts } = report;
  for (const loss of lost) tell(`LOST: ${loss}`);
  const summary = { kills, seed, lost: lost.length, ...counts, seconds: seconds() };
  console.log(json ? JSON.stringify(summary) : readable(summary));
  return lost.length > 0 ? 1 : 0;
}

/** @returns undefined where the words make no sense. */
function parse(words: string[]): { kills: number; seed: number; json: boolean } | undefined {
  try {
    const { values } = parseArgs({
      args: words,
      options: {
        kills: { type: 'string', default: '50' },
        seed: { type: 'string', default: String(randomInt(1_000_000)) },
        json: { type: 'boolean', default: false },
      },
    });
    const [kills, seed] = [Number(values.kills), Number(values.seed)];
    const isClear = Number.isInteger(kills) && kills > 0 && kills <= MAX_KILLS && Number.isInteger(seed);
    return isClear ? { kills, seed, json: values.json } : undefined;
  } catch {
    return undefined;
  }
}

function readable(summary: object): string {
  return Object.entries(summary)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);

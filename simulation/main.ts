import { parseArgs } from 'node:util';
import { withDatabase } from '../bench/postgres.js';
import type { Counts } from './counts.js';
import type { Violation } from './model/history.js';
import { Simulation } from './simulation.js';

const USAGE = `npm run simulate -- [--users N] [--days D] [--seed S] [--json]

A month in a minute: N users (default 100) visit three instances for D days (default 35) of emulated time, and what must
hold is looked at all the time. Who does what when follows from the seed (default 1).
Progress and violations go to the standard error; the last line, on the standard output, says what came of it.
The exit code is 1 if anything was violated.

DATABASE_URL names the PostgreSQL server; without it, one is started.
`;

interface Command {
  users: number;
  days: number;
  seed: string;
  json: boolean;
}

async function main(words: string[]): Promise<number> {
  const command = parse(words);
  if (command === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { users, days, seed, json } = command;
  const begin = performance.now();
  const secondsSince = (): number => Math.round((performance.now() - begin) / 1000);
  const result = await withDatabase((databaseUrl) =>
    Simulation.run({
      users,
      days,
      seed,
      databaseUrl,
      onDay: (day, counts) => tell(dayLine(day, days, secondsSince(), counts)),
      onViolation: (violation) => tell(textOf(violation)),
    }),
  );
  const { violations, ...counts } = result;
  const summary = { users, days, seed, violations, ...counts, seconds: secondsSince() };
  console.log(json ? JSON.stringify(summary) : readable(summary));
  return violations > 0 ? 1 : 0;
}

/** @returns undefined where the words make no sense. */
function parse(words: string[]): Command | undefined {
  try {
    const { values } = parseArgs({
      args: words,
      options: {
        users: { type: 'string', default: '100' },
        days: { type: 'string', default: '35' },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
      },
    });
    const { seed, json } = values;
    const [users, days] = [Number(values.users), Number(values.days)];
    const isClear = [users, days].every((number) => Number.isInteger(number) && number > 0);
    return isClear ? { users, days, seed, json } : undefined;
  } catch {
    return undefined;
  }
}

function dayLine(day: number, days: number, seconds: number, counts: Counts): string {
  const { visits, signIns, refreshes, kills } = counts;
  return `day ${String(day)} of ${String(days)}, ${String(seconds)} s: ${String(visits)} visits, ${String(signIns)} sign-ins, ${String(refreshes)} refreshes, ${String(kills)} kills`;
}

function textOf({ invariant, atMs, openid, expected, seen, before }: Violation): string {
  const whose = openid === undefined ? '' : `, user ${openid}`;
  return [
    `VIOLATED: ${invariant}, at ${new Date(atMs).toISOString()}${whose}`,
    `  expected: ${expected}`,
    `  seen:     ${seen}`,
    ...before.map((line) => `  ${line}`),
  ].join('\n');
}

function readable(summary: object): string {
  return Object.entries(summary)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(', ');
}

function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);

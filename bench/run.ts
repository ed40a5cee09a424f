import { parseArgs } from 'node:util';
import { emulator } from './emulator/emulator.suite.js';
import { emulatorMemory } from './emulator/memory.suite.js';
import { guard } from './guard/guard.suite.js';
import type { Figure, Suite } from './harness.js';
import { claim } from './refresh/claim.suite.js';
import { memory } from './refresh/memory.suite.js';
import { refresh } from './refresh/refresh.suite.js';
import { sealing } from './sealing.suite.js';

const SUITES: readonly Suite[] = [sealing, guard, emulator, emulatorMemory, refresh, claim, memory];

const USAGE = `npm run bench -- SUITE... [--json]

Prints a table; with --json one line per figure: {"suite","figure","ratio","a","b","unit"}.
ratio is a/b, or null where a stands alone. Progress goes to the standard error.
npm prints the script's name first: npm run --silent bench -- SUITE --json prints the lines alone.

${SUITES.map(({ name, about }) => `  ${name.padEnd(18)}${about}`).join('\n')}

DATABASE_URL names the PostgreSQL server for the suites that need one; without it, one is started.
`;

async function main(words: string[]): Promise<number> {
  const command = parse(words);
  if (!command) {
    process.stderr.write(USAGE);
    return 2;
  }
  if (command.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  for (const suite of command.suites) {
    const figures = await suite.run();
    if (command.json) for (const figure of figures) console.log(JSON.stringify(figure));
    else console.table(figures.map(readable));
  }
  return 0;
}

/** @returns undefined where the words make no sense. */
function parse(words: string[]): { suites: Suite[]; json: boolean; help: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: words,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    const suites = SUITES.filter(({ name }) => positionals.includes(name));
    const isClear = suites.length > 0 && suites.length === new Set(positionals).size;
    return isClear || values.help ? { suites, ...values } : undefined;
  } catch {
    return undefined;
  }
}

function readable({ figure, ratio, a, b, unit }: Figure): object {
  const digits = unit === 'ms' ? 2 : 0;
  const rounded = (value: number | null): number | null => value && Number(value.toFixed(digits));
  return { figure, ratio: ratio && Number(ratio.toFixed(2)), a: rounded(a), b: rounded(b), unit };
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);

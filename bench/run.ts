import type { Figure, Suite } from './harness.js';
import { sealing } from './sealing.suite.js';

const SUITES: readonly Suite[] = [sealing];

/** `npm run bench -- SUITE [--json]`: a table, or one JSON object a line. */
async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const json = words.includes('--json');
  const names = words.filter((word) => word !== '--json');
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name));
  if (names.length === 0 || unknown.length > 0) {
    const known = SUITES.map(({ name }) => name).join(', ');
    console.error(`Which suite? npm run bench -- SUITE [--json], with one of: ${known}`);
    process.exitCode = 2;
    return;
  }
  for (const suite of SUITES.filter(({ name }) => names.includes(name))) {
    const figures = await suite.run();
    if (json) for (const figure of figures) console.log(JSON.stringify(figure));
    else console.table(figures.map(readable));
  }
}

function readable({ figure, ratio, a, b, unit }: Figure): object {
  const whole = (value: number | null): number | null => value && Math.round(value);
  return { figure, ratio: ratio && Number(ratio.toFixed(2)), a: whole(a), b: whole(b), unit };
}

void main();

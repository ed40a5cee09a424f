import { type Command, InvalidArgumentError } from 'commander';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database.options.js';
import {
  addEnvironmentFileOption,
  type EnvironmentFileOptions,
  loadEnvironmentFile,
} from '../environment.file.js';
import type { Shell } from '../shell.js';

interface RotateKeysOptions extends DatabaseOptions, EnvironmentFileOptions {
  dryRun: boolean;
  batchSize: number;
  json: boolean;
}

const DEFAULT_BATCH_SIZE = 500;
const MAX_BATCH_SIZE = 10_000;

const HELP = `
Seals tokens and profiles anew with the first key of WECHAT_AUTH_KEYS, while the service runs and refreshes. May be
ended at any moment and started again, also twice at once. To change keys, in this order, each on every instance before
the next:
  1. put the new key last in WECHAT_AUTH_KEYS: every instance can open what it seals
  2. put it first: it seals
  3. run rotate-keys, with the same WECHAT_AUTH_KEYS
  4. after 15 minutes, take out the old key, if rotate-keys says that nothing needs it
An instance without the new key cannot open what is re-sealed.

Examples:
  $ npx nestjs-wechat-auth rotate-keys --dry-run
  $ npx nestjs-wechat-auth rotate-keys
  $ npx nestjs-wechat-auth rotate-keys --json --settings .env.production

Exit codes: 0 everything is sealed with the first key (in a dry run: can be), 1 something is not or it failed, 2 wrong
usage.`;

export function addRotateKeys(program: Command, shell: Shell, endWith: (exitCode: number) => void): void {
  const command = program
    .command('rotate-keys')
    .description('seal what is stored anew with the first key of WECHAT_AUTH_KEYS')
    .option('--dry-run', 'only count and try to open', false)
    .option('--batch-size <rows>', 'how many rows to read and write at once', rows, DEFAULT_BATCH_SIZE)
    .option(
      '--json',
      'print one JSON document: { ok, dryRun, schema, resealed, keys: [{ kid, role, tokens, userinfo, mayBeRetired }], problems: [{ problem, cure }] }',
      false,
    );
  addEnvironmentFileOption(addDatabaseOptions(command))
    .addHelpText('after', HELP)
    .action(async (options: RotateKeysOptions) => {
      if (!(await rotateKeys(options, shell))) endWith(1);
    });
}

/** @returns whether everything is sealed with the first key. */
async function rotateKeys(options: RotateKeysOptions, shell: Shell): Promise<boolean> {
  const { env, folder, columns, write, writeError } = shell;
  loadEnvironmentFile(options.settings, folder, env);
  const { readDatabaseAddress } = await import('../database/database.address.js');
  const { readKeys } = await import('../keys/rotation.settings.js');
  const keys = readKeys(env);
  const address = readDatabaseAddress(env);
  const { runKeyRotation } = await import('../keys/rotation.run.js');
  const { rotationReport } = await import('../keys/rotation.report.js');
  const { rotationText } = await import('../keys/rotation.text.js');
  const run = await runKeyRotation(address, keys, {
    ...options,
    tell: (line) => writeError(`${line}\n`),
  });
  const report = rotationReport(run, keys, options.dryRun);
  write(
    options.json
      ? `${JSON.stringify(report, undefined, 2)}\n`
      : `${rotationText(report, address.place, columns)}\n`,
  );
  return report.ok;
}

function rows(text: string): number {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value < 1 || value > MAX_BATCH_SIZE) {
    throw new InvalidArgumentError(`It is a number of rows, 1 to ${MAX_BATCH_SIZE}.`);
  }
  return value;
}

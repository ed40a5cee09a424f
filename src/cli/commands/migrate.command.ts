import { type Command, InvalidArgumentError } from 'commander';
import { addDatabaseOptions, type DatabaseOptions } from '../database/database.options.js';
import {
  addEnvironmentFileOption,
  type EnvironmentFileOptions,
  loadEnvironmentFile,
} from '../environment.file.js';
import type { Shell } from '../shell.js';

interface MigrateOptions extends DatabaseOptions, EnvironmentFileOptions {
  dryRun: boolean;
  wait: number;
}

const HELP = `
Makes and changes the tables of this module, and nothing else. Safe to repeat, and safe to run from several machines at
once: the second waits for the first. What fails is rolled back whole. An application whose TypeORM data source has
wechatAuthMigrations in its migrations does not need this command.

Examples:
  $ npx nestjs-wechat-auth migrate
  $ npx nestjs-wechat-auth migrate --dry-run
  $ npx nestjs-wechat-auth migrate --schema shop --settings .env.production

Exit codes: 0 done or nothing to do, 1 failed and nothing changed, 2 wrong usage.`;

export function addMigrate(program: Command, shell: Shell): void {
  const command = program
    .command('migrate')
    .description("run this module's migrations on DATABASE_URL")
    .option('--dry-run', 'only tell what would run', false)
    .option('--wait <seconds>', 'how long to wait for another run of migrate to end', seconds, 300);
  addEnvironmentFileOption(addDatabaseOptions(command))
    .addHelpText('after', HELP)
    .action((options: MigrateOptions) => migrate(options, shell));
}

async function migrate(options: MigrateOptions, { env, folder, write, writeError }: Shell): Promise<void> {
  const { readDatabaseAddress } = await import('../database/database.address.js');
  loadEnvironmentFile(options.settings, folder, env);
  const address = readDatabaseAddress(env);
  const { connect } = await import('../database/data.source.js');
  const { requireTables, runPendingMigrations } = await import('../database/migrations.runner.js');
  const dataSource = await connect(address, options);
  try {
    const { schema, migrations } = await runPendingMigrations(dataSource, address, {
      ...options,
      waitMs: options.wait * 1_000,
      onWait: () => writeError('Another run of migrate is busy on this database; waiting for it to end.\n'),
    });
    const lines = migrations.map(({ name, tookMs }) =>
      options.dryRun ? `would run ${name}` : `ran ${name} in ${tookMs.toFixed(0)} ms`,
    );
    if (lines.length === 0) lines.push('Nothing to do: all migrations have run before.');
    write(`In ${address.place}, schema ${schema}:\n${lines.map((line) => `  ${line}\n`).join('')}`);
    if (!options.dryRun) await requireTables(dataSource, options);
  } finally {
    await dataSource.destroy();
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < 1)
    throw new InvalidArgumentError('It is a whole number of seconds, 1 or more.');
  return value;
}

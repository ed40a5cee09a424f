import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { missingTableProblems } from '../../grants/schema.check.js';
import { CommandFailure } from '../command.failure.js';
import type { DatabaseAddress } from './database.address.js';
import { describeDatabaseFailure, sqlStateOf } from './database.failures.js';
import type { DatabaseOptions } from './database.options.js';
import { missingIndexCure } from './missing-index.cure.js';
import { pendingMigrations } from './migrations.table.js';

/** "wech" and "auth": the two numbers of the lock that keeps other runs of `migrate` waiting. */
const LOCK = [0x77656368, 0x61757468] as const;

export interface MigrationRunOptions extends DatabaseOptions {
  /** Only tell what would run. */
  dryRun: boolean;
  /** How long to wait for another run to end, in milliseconds. */
  waitMs: number;
  /** Called when there is another run to wait for. */
  onWait: () => void;
}

export interface MigrationRun {
  /** Where the tables are. */
  schema: string;
  /** What ran, or with `dryRun` would run, in this order. */
  migrations: readonly { name: string; tookMs: number }[];
}

/**
 * Runs what is pending in one transaction, which also holds the lock: either all is done or nothing, and whoever
 * comes second finds nothing left to do. A session's lock would get lost behind PgBouncer.
 *
 * @throws {CommandFailure}
 */
export async function runPendingMigrations(
  dataSource: DataSource,
  address: DatabaseAddress,
  options: MigrationRunOptions,
): Promise<MigrationRun> {
  const runner = dataSource.createQueryRunner();
  try {
    // Each statement has to see what others have committed while it waited for the lock.
    await runner.startTransaction('READ COMMITTED');
    const run = await runInTransaction(dataSource, runner, options);
    await runner.commitTransaction();
    return run;
  } catch (error) {
    // The connection may be gone; the server has rolled back then.
    await runner.rollbackTransaction().catch(() => undefined);
    throw error instanceof CommandFailure ? error : explained(error, address, options);
  } finally {
    await runner.release();
  }
}

async function runInTransaction(
  dataSource: DataSource,
  runner: QueryRunner,
  options: MigrationRunOptions,
): Promise<MigrationRun> {
  const schema = await existingSchema(runner, options.schema);
  if (options.dryRun) {
    const names = await pendingMigrations(runner, schema, options.migrationsTable);
    return { schema, migrations: names.map((name) => ({ name, tookMs: 0 })) };
  }
  await lock(runner, options);
  // Asked for what it says of a table that is not TypeORM's.
  await pendingMigrations(runner, schema, options.migrationsTable);
  const executor = new MigrationExecutor(dataSource, runner);
  const migrations: { name: string; tookMs: number }[] = [];
  for (const migration of await executor.getPendingMigrations()) {
    const startedAt = performance.now();
    await executor.executeMigration(migration);
    migrations.push({ name: migration.name, tookMs: performance.now() - startedAt });
  }
  return { schema, migrations };
}

async function existingSchema(runner: QueryRunner, wanted: string | undefined): Promise<string> {
  const [row] = (await runner.query(
    `SELECT current_schema() AS "current", current_database() AS "database",
       ARRAY(SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1) AS "all"`,
  )) as [{ current: string | null; database: string; all: string[] }];
  const schema = wanted ?? row.current;
  if (schema !== null && row.all.includes(schema)) return schema;
  const others = row.all.length > 0 ? `It has: ${row.all.join(', ')}.` : 'It has none.';
  throw new CommandFailure({
    problem:
      schema === null
        ? `The role of DATABASE_URL has no schema in the database ${row.database} to make tables in. ${others}`
        : `There is no schema ${schema} in the database ${row.database}. ${others}`,
    cure:
      schema === null
        ? 'Name one with --schema, as in the TypeORM data source of the application.'
        : `Correct --schema (upper and lower case count), or create it: CREATE SCHEMA "${schema}";`,
  });
}

async function lock(runner: QueryRunner, { waitMs, onWait }: MigrationRunOptions): Promise<void> {
  const [row] = (await runner.query('SELECT pg_try_advisory_xact_lock($1, $2) AS "isOurs"', [...LOCK])) as [
    { isOurs: boolean },
  ];
  if (row.isOurs) return;
  onWait();
  await runner.query(`SET LOCAL lock_timeout = ${String(waitMs)}`);
  try {
    await runner.query('SELECT pg_advisory_xact_lock($1, $2)', [...LOCK]);
  } catch (error) {
    if (sqlStateOf(error) !== '55P03') throw error;
    throw new CommandFailure({
      problem: `Another run of migrate on this database has not ended within ${String(waitMs / 1_000)} s.`,
      cure: "See whether it stands still: SELECT * FROM pg_stat_activity WHERE application_name = 'nestjs-wechat-auth'; then try again, or wait longer with --wait.",
    });
  }
  await runner.query('SET LOCAL lock_timeout TO DEFAULT');
}

/** @throws {CommandFailure} if the database does not have what its migrations are said to have made. */
export async function requireTables(
  dataSource: DataSource,
  { migrationsTable }: DatabaseOptions,
): Promise<void> {
  const problems = await missingTableProblems(dataSource);
  if (problems.length === 0) return;
  throw new CommandFailure({
    problem: `All migrations are noted in "${migrationsTable}" as run, and yet: ${problems.map(({ problem }) => problem).join(' ')}`,
    cure:
      missingIndexCure(dataSource, problems) ??
      `Something else has changed the tables. Bring them back from a backup; or, to begin anew, drop wechat_grant and wechat_sign_in (everybody signs in again), delete this module's rows from "${migrationsTable}" and run migrate again.`,
  });
}

function explained(
  error: unknown,
  address: DatabaseAddress,
  { migrationsTable }: DatabaseOptions,
): CommandFailure {
  if (sqlStateOf(error) === '42P07') {
    const [, relation = 'A table'] = /relation ("[^"]+")/.exec(String(error)) ?? [];
    return new CommandFailure({
      problem: `${relation} exists, but "${migrationsTable}" does not have the migration that makes it. Nothing was changed.`,
      cure: 'If the application keeps its migrations in another table (migrationsTableName), name that with --migrations-table. If the tables come from synchronize: true, drop them, switch it off and run migrate again.',
    });
  }
  const { problem, cure } = describeDatabaseFailure(error, address);
  // Without a word from the server, as when the connection breaks at the very end, nobody knows.
  const outcome =
    sqlStateOf(error) === undefined ? 'Run migrate again to see what was done.' : 'Nothing was changed.';
  return new CommandFailure({ problem: `${problem} ${outcome}`, cure });
}

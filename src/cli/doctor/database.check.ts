import type { DataSource } from 'typeorm';
import type { WechatConfigurationProblem } from '../../common/errors.js';
import type { SealingKey } from '../../common/sealer.js';
import { schemaProblems } from '../../grants/schema.check.js';
import { changedKeyProblems, sealingKeyProblems } from '../../grants/sealing-keys.check.js';
import { CommandFailure } from '../command.failure.js';
import { connect } from '../database/data.source.js';
import { type DatabaseAddress, readDatabaseAddress } from '../database/database.address.js';
import { describeDatabaseFailure } from '../database/database.failures.js';
import type { DatabaseOptions } from '../database/database.options.js';
import { missingIndexCure } from '../database/missing-index.cure.js';
import { pendingMigrations } from '../database/migrations.table.js';
import { error, type Finding, notChecked, ok, warning } from './finding.js';

const QUERY_TIMEOUT_MS = 5_000;

export interface DatabaseReport {
  findings: Finding[];
  /** Keys that stored tokens need and `keys` lacks, or why that is not known. */
  storedKeys: readonly WechatConfigurationProblem[] | { unknownBecause: string };
  /** The database's clock minus this machine's, in milliseconds, if it could be read. */
  aheadMs?: number;
}

/** Connection, tables and migrations, and what else the database alone can tell. */
export async function checkDatabase(
  env: NodeJS.ProcessEnv,
  options: DatabaseOptions,
  keys: readonly SealingKey[] | undefined,
): Promise<DatabaseReport> {
  const report: DatabaseReport = {
    findings: [],
    storedKeys: { unknownBecause: 'since the database could not be asked' },
  };
  const failed = ({ problem, cure }: WechatConfigurationProblem): void => {
    // What was found until then stays in the report.
    report.findings.push(
      error('database', problem, cure),
      notChecked('database', 'the rest of the database', 'for that reason'),
    );
  };
  let address: DatabaseAddress;
  try {
    address = readDatabaseAddress(env);
  } catch (failure) {
    if (!(failure instanceof CommandFailure)) throw failure;
    failed(failure);
    return report;
  }
  let dataSource: DataSource | undefined;
  try {
    dataSource = await connect(address, options, QUERY_TIMEOUT_MS);
    await examine(dataSource, address, options, keys, report);
  } catch (failure) {
    failed(failure instanceof CommandFailure ? failure : describeDatabaseFailure(failure, address));
  } finally {
    // Not awaited: a server that has stopped answering would hold up the report.
    void dataSource?.destroy().catch(() => undefined);
  }
  return report;
}

async function examine(
  dataSource: DataSource,
  { place }: DatabaseAddress,
  options: DatabaseOptions,
  keys: readonly SealingKey[] | undefined,
  report: DatabaseReport,
): Promise<void> {
  const { version, current } = await describeServer(dataSource);
  const schema = options.schema ?? current;
  report.findings.push(ok('database', `PostgreSQL ${version}, ${place}, schema ${schema}.`));
  report.aheadMs = await measureClock(dataSource);
  const problems = await schemaProblems(dataSource);
  const pending = await notRun(dataSource, schema, options).catch((failure: unknown) => {
    // Where rights are lacking, those for the table of migrations may lack too.
    report.findings.push(...problems.map(({ problem, cure }) => error('database', problem, cure)));
    throw failure;
  });
  const indexCure = pending.length === 0 ? missingIndexCure(dataSource, problems) : undefined;
  report.findings.push(...tableFindings(problems, pending, indexCure, options));
  report.storedKeys = await storedKeys(dataSource, keys, problems.length === 0);
}

/** What is missing and what has not run tell of one thing, mostly: then they are one finding. */
function tableFindings(
  problems: readonly WechatConfigurationProblem[],
  pending: readonly string[],
  indexCure: string | undefined,
  { migrationsTable }: DatabaseOptions,
): Finding[] {
  const names = pending.join(', ');
  if (problems.length > 0) {
    const yetToRun = pending.length > 0 ? ` Yet to run: ${names}.` : '';
    return problems.map(({ problem, cure }) => error('database', `${problem}${yetToRun}`, indexCure ?? cure));
  }
  const tables = ok('database', 'The tables are there, with their columns and indexes.');
  if (pending.length === 0) return [tables, ok('database', 'All migrations have run.')];
  return [
    tables,
    warning(
      'database',
      `The table "${migrationsTable}" does not say that they come from migrations: ${names}.`,
      'If the application keeps its migrations in another table (migrationsTableName), name that with --migrations-table. If the tables come from synchronize: true, use migrations instead: synchronize can lose data.',
    ),
  ];
}

async function notRun(
  dataSource: DataSource,
  schema: string,
  { migrationsTable }: DatabaseOptions,
): Promise<string[]> {
  const runner = dataSource.createQueryRunner();
  try {
    return await pendingMigrations(runner, schema, migrationsTable);
  } finally {
    await runner.release();
  }
}

async function storedKeys(
  dataSource: DataSource,
  keys: readonly SealingKey[] | undefined,
  areTablesComplete: boolean,
): Promise<DatabaseReport['storedKeys']> {
  if (!keys) return { unknownBecause: 'since there are no keys to compare with' };
  if (!areTablesComplete) return { unknownBecause: 'since the tables are not complete' };
  return [...(await sealingKeyProblems(dataSource, keys)), ...(await changedKeyProblems(dataSource, keys))];
}

async function describeServer(dataSource: DataSource): Promise<{ version: string; current: string }> {
  const [row] = await dataSource.query<[{ version: string; current: string }]>(
    // Where no schema is current, nothing is found in the one that is named here.
    `SELECT current_setting('server_version') AS "version", coalesce(current_schema(), '(none)') AS "current"`,
  );
  return row;
}

async function measureClock(dataSource: DataSource): Promise<number> {
  const sentAt = Date.now();
  const [{ now }] = await dataSource.query<[{ now: Date }]>('SELECT clock_timestamp() AS now');
  return now.getTime() - (sentAt + Date.now()) / 2;
}

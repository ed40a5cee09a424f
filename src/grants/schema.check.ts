import type { DataSource, EntityMetadata } from 'typeorm';
import type { WechatConfigurationProblem } from '../common/errors.js';
import { wechatAuthEntities } from './entities.js';
import { SEALING_KEY_INDEX } from './sealing-keys.check.js';
import { findTable, type FoundTable } from './table.lookup.js';
import { WechatGrant } from './wechat-grant.entity.js';

/** Where TypeORM notes which migrations have run, if nobody says otherwise. */
const TYPEORM_MIGRATIONS_TABLE = 'migrations';

/**
 * Finds at start, rather than at the first sign-in, that the database is not ready: one question for each table.
 *
 * @returns every problem of the data source and its tables; none if all is well.
 */
export async function schemaProblems(dataSource: DataSource): Promise<WechatConfigurationProblem[]> {
  const problems = dataSourceProblems(dataSource);
  // Asked of such a data source, the database would tell of tables that are not meant.
  if (problems.length > 0) return problems;
  const tables = await lookUpTables(dataSource);
  return [...missingPartProblems(dataSource, tables), ...rightProblems(tables)];
}

/** @returns what is missing in the database, whatever the role of the data source may do with the rest. */
export async function missingTableProblems(dataSource: DataSource): Promise<WechatConfigurationProblem[]> {
  return missingPartProblems(dataSource, await lookUpTables(dataSource));
}

function dataSourceProblems(dataSource: DataSource): WechatConfigurationProblem[] {
  const { type, entityPrefix } = dataSource.options;
  if (type !== 'postgres') {
    return [
      {
        problem: `The TypeORM data source is of type ${type}.`,
        cure: "Use PostgreSQL: TypeOrmModule.forRoot({ type: 'postgres', ... }).",
      },
    ];
  }
  if (!dataSource.isInitialized) {
    return [
      {
        problem: 'The TypeORM data source is not connected yet, so nothing can be read or stored.',
        cure: 'Leave manualInitialization out, or call initialize() on the data source before the application starts.',
      },
    ];
  }
  if (!wechatAuthEntities.every((entity) => dataSource.hasMetadata(entity))) {
    return [
      {
        problem: 'The TypeORM data source does not know the entities of this module.',
        cure: 'Set autoLoadEntities: true, or entities: [...wechatAuthEntities], in TypeOrmModule.forRoot().',
      },
    ];
  }
  if (entityPrefix) {
    return [
      {
        problem: 'The TypeORM data source has an entityPrefix, which migrations do not follow.',
        cure: 'Use the option schema instead, or a data source of its own for this module.',
      },
    ];
  }
  if (wechatAuthEntities.some((entity) => isRenamed(dataSource.getMetadata(entity)))) {
    return [
      {
        problem:
          'The TypeORM data source has a namingStrategy that renames what this module names, which migrations do not follow.',
        cure: 'Let it keep names that are given, or use a data source of its own for this module.',
      },
    ];
  }
  return [];
}

function isRenamed({ tableName, givenTableName, columns }: EntityMetadata): boolean {
  return (
    tableName !== givenTableName ||
    columns.some((column) => column.databaseName !== (column.givenDatabaseName ?? column.propertyName))
  );
}

/** A table of ours, as it should be and as it is. */
interface LookedUpTable {
  metadata: EntityMetadata;
  found: FoundTable;
}

async function lookUpTables(dataSource: DataSource): Promise<LookedUpTable[]> {
  const tables: LookedUpTable[] = [];
  for (const entity of wechatAuthEntities) {
    const metadata = dataSource.getMetadata(entity);
    tables.push({ metadata, found: await findTable(dataSource, metadata) });
  }
  return tables;
}

function missingPartProblems(
  dataSource: DataSource,
  tables: readonly LookedUpTable[],
): WechatConfigurationProblem[] {
  const missing = tables.flatMap((table) => missingParts(table, dataSource));
  return missing.length === 0
    ? []
    : [{ problem: `The database lacks ${listed(missing)}.`, cure: cureOf(dataSource) }];
}

function missingParts({ metadata, found }: LookedUpTable, { options }: DataSource): string[] {
  const { tablePath } = metadata;
  if (found.path === null) return [`the table ${tablePath}`];
  const columns = metadata.columns.map(({ databaseName }) => databaseName);
  const indexes = metadata.indices.map(({ name }) => name);
  // An index that TypeORM cannot describe is none that `synchronize` makes, and where that is on, tables are small.
  if (metadata.target === WechatGrant && options.synchronize !== true) indexes.push(SEALING_KEY_INDEX);
  return [
    ...columns
      .filter((name) => !found.columns.includes(name))
      .map((name) => `the column ${tablePath}.${name}`),
    ...indexes.filter((name) => !found.indexes.includes(name)).map((name) => `the index ${name}`),
  ];
}

/** One problem for each closed schema, and one for each set of rights that tables lack. */
function rightProblems(tables: readonly LookedUpTable[]): WechatConfigurationProblem[] {
  const found = tables.map((table) => table.found);
  const pathsByRights = new Map<string, string[]>();
  for (const { path, lackingRights } of found) {
    if (path === null || lackingRights.length === 0) continue;
    const rights = lackingRights.join(', ');
    pathsByRights.set(rights, [...(pathsByRights.get(rights) ?? []), path]);
  }
  const role = found[0]?.role ?? '';
  const closedSchemas = new Set(found.flatMap(({ closedSchema }) => closedSchema ?? []));
  return [
    ...[...closedSchemas].map((schema) => ({
      problem: `The database role ${role} may not use the schema ${schema}, where the tables are.`,
      cure: `As the owner of the schema run: GRANT USAGE ON SCHEMA ${schema} TO ${role};`,
    })),
    ...[...pathsByRights].map(([rights, paths]) => ({
      problem: `The database role ${role} lacks ${listed(rights.split(', '))} on ${listed(paths)}.`,
      cure: `As the owner of the tables run: GRANT ${rights} ON ${paths.join(', ')} TO ${role};`,
    })),
  ];
}

/** The command knows of the data source only what it is told. */
function cureOf({ options }: DataSource): string {
  const schema =
    'schema' in options && options.schema !== undefined ? ` --schema ${inShell(options.schema)}` : '';
  const { migrationsTableName = TYPEORM_MIGRATIONS_TABLE } = options;
  const table =
    migrationsTableName === TYPEORM_MIGRATIONS_TABLE
      ? ''
      : ` --migrations-table ${inShell(migrationsTableName)}`;
  return `Run npx nestjs-wechat-auth migrate${schema}${table}; or give TypeOrmModule.forRoot() migrations: [...wechatAuthMigrations] and run those as you run your own (migrationsRun: true does at each start).`;
}

function inShell(name: string): string {
  return /^[\w-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}

/** @returns `a`, `a and b`, or `a, b and c`. */
function listed(names: string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}` : names.join('');
}

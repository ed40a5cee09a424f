import type { DataSource, EntityMetadata } from 'typeorm';
import type { WechatConfigurationProblem } from '../common/errors.js';
import { wechatAuthEntities } from './entities.js';
import { SEALING_KEY_INDEX } from './sealing-keys.check.js';
import { quotedTablePath } from './table-path.js';
import { WechatGrant } from './wechat-grant.entity.js';

/** Where TypeORM notes which migrations have run, if nobody says otherwise. */
const TYPEORM_MIGRATIONS_TABLE = 'migrations';

/** What a table of ours has in the database. */
interface FoundTable {
  exists: boolean;
  columns: string[];
  indexes: string[];
}

/**
 * Finds at start, rather than at the first sign-in, that the database is not ready: one question for each table.
 *
 * @returns every problem of the data source and its tables; none if all is well.
 */
export async function schemaProblems(dataSource: DataSource): Promise<WechatConfigurationProblem[]> {
  const problems = dataSourceProblems(dataSource);
  // Asked of such a data source, the database would tell of tables that are not meant.
  return problems.length > 0 ? problems : tableProblems(dataSource);
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

async function tableProblems(dataSource: DataSource): Promise<WechatConfigurationProblem[]> {
  const missing: string[] = [];
  for (const entity of wechatAuthEntities) {
    const metadata = dataSource.getMetadata(entity);
    missing.push(...missingParts(metadata, await findTable(dataSource, metadata), dataSource));
  }
  if (missing.length === 0) return [];
  return [{ problem: `The database lacks ${listed(missing)}.`, cure: cureOf(dataSource) }];
}

function missingParts(metadata: EntityMetadata, found: FoundTable, { options }: DataSource): string[] {
  const { tablePath } = metadata;
  if (!found.exists) return [`the table ${tablePath}`];
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

async function findTable(dataSource: DataSource, metadata: EntityMetadata): Promise<FoundTable> {
  const [row] = await dataSource.query<[FoundTable]>(
    `SELECT found.id IS NOT NULL AS "exists",
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = found.id AND attnum > 0 AND NOT attisdropped) AS columns,
       ARRAY(SELECT relname::text FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = found.id) AS indexes
     FROM (SELECT to_regclass($1)::oid AS id) AS found`,
    [quotedTablePath(metadata)],
  );
  return row;
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
  return /^[\w-]+$/.test(name) ? name : `'${name}'`;
}

/** @returns `a`, `a and b`, or `a, b and c`. */
function listed(names: string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}` : names.join('');
}

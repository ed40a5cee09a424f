import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions, DefaultNamingStrategy } from 'typeorm';
import { schemaProblems } from '../../src/grants/schema.check.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { listed, TABLES } from '../support/tables.js';

let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

async function connect(
  schema?: string,
  options: Partial<Extract<DataSourceOptions, { type: 'postgres' }>> = {},
): Promise<DataSource> {
  dataSource = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: wechatAuthEntities,
    migrations: wechatAuthMigrations,
    ...(schema !== undefined && { schema }),
    ...options,
  }).initialize();
  return dataSource;
}

/** Every table and index that is not PostgreSQL's own. */
async function tablesAndIndexes(): Promise<{ tables: unknown[]; indexes: unknown[] }> {
  const tables = await dataSource.query<{ name: string }[]>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  const indexes = await dataSource.query<{ definition: string }[]>(
    `SELECT indexdef AS definition FROM pg_indexes
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'migrations' ORDER BY indexname`,
  );
  return {
    tables: tables.map(({ name }) => name),
    indexes: indexes.map(({ definition }) => definition),
  };
}

/** The statements by which TypeORM would bring the tables in line with the entities. */
async function differences(): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}

describe.each([
  ['in the default schema', undefined, 'public'],
  ['in a schema of the host’s', 'Shop', '"Shop"'],
])('the migrations, %s', (_, schemaOption, schema) => {
  const schemaName = schemaOption ?? 'public';

  beforeEach(async () => {
    if (schemaOption !== undefined) {
      const admin = await new DataSource({ type: 'postgres', url: database.url }).initialize();
      await admin.query(`CREATE SCHEMA ${schema}`);
      await admin.destroy();
    }
    await connect(schemaOption);
  });

  it('make just the tables that the entities describe', async () => {
    expect(await differences()).not.toEqual([]);
    await dataSource.runMigrations();
    expect(await differences()).toEqual([]);
    expect((await tablesAndIndexes()).tables).toEqual(
      ['migrations', ...TABLES.toSorted()].map((name) => `${schemaName}.${name}`),
    );
  });

  it('make an index for every key and every query, and no other', async () => {
    await dataSource.runMigrations();
    expect((await tablesAndIndexes()).indexes).toEqual([
      `CREATE UNIQUE INDEX wechat_account_state_pkey ON ${schema}.wechat_account_state USING btree (app_id)`,
      `CREATE INDEX wechat_grant_consent_review_idx ON ${schema}.wechat_grant USING btree (consent_review_at) WHERE (consent_review_at IS NOT NULL)`,
      `CREATE UNIQUE INDEX wechat_grant_pkey ON ${schema}.wechat_grant USING btree (app_id, openid)`,
      `CREATE INDEX wechat_grant_refresh_due_idx ON ${schema}.wechat_grant USING btree (app_id, refresh_due_at) WHERE (refresh_due_at IS NOT NULL)`,
      `CREATE INDEX wechat_grant_sealed_tokens_header_idx ON ${schema}.wechat_grant USING btree (split_part(sealed_tokens, '.'::text, 1))`,
      `CREATE UNIQUE INDEX wechat_lease_pkey ON ${schema}.wechat_lease USING btree (name)`,
      `CREATE UNIQUE INDEX wechat_quota_pkey ON ${schema}.wechat_quota USING btree (app_id, endpoint)`,
      `CREATE INDEX wechat_revocation_expires_at_idx ON ${schema}.wechat_revocation USING btree (expires_at)`,
      `CREATE UNIQUE INDEX wechat_revocation_pkey ON ${schema}.wechat_revocation USING btree (kind, subject)`,
      `CREATE INDEX wechat_revocation_revoked_at_idx ON ${schema}.wechat_revocation USING btree (revoked_at, subject)`,
      `CREATE INDEX wechat_sign_in_browser_idx ON ${schema}.wechat_sign_in USING btree (browser_digest, completed_at)`,
      `CREATE UNIQUE INDEX wechat_sign_in_code_digest_key ON ${schema}.wechat_sign_in USING btree (code_digest)`,
      `CREATE INDEX wechat_sign_in_expires_at_idx ON ${schema}.wechat_sign_in USING btree (expires_at)`,
      `CREATE UNIQUE INDEX wechat_sign_in_pkey ON ${schema}.wechat_sign_in USING btree (id)`,
      `CREATE UNIQUE INDEX wechat_sign_in_state_digest_key ON ${schema}.wechat_sign_in USING btree (state_digest)`,
      `CREATE INDEX wechat_sign_in_user_idx ON ${schema}.wechat_sign_in USING btree (app_id, openid) WHERE (openid IS NOT NULL)`,
    ]);
  });

  it('leave no value to the database to fill in', async () => {
    await dataSource.runMigrations();
    const filledIn = await dataSource.query<unknown[]>(
      `SELECT table_name, column_name, column_default FROM information_schema.columns
       WHERE table_name LIKE 'wechat_%' AND (column_default IS NOT NULL OR is_identity = 'YES' OR is_generated <> 'NEVER')`,
    );
    expect(filledIn).toEqual([]);
  });

  it('do nothing the second time, and leave what is kept', async () => {
    expect(await dataSource.runMigrations()).toHaveLength(wechatAuthMigrations.length);
    await dataSource.query(
      `INSERT INTO ${schema}.wechat_sign_in (id, code_digest, app_id, expires_at)
       VALUES ('00000000-0000-0000-0000-000000000001', 'x', 'wx0123456789abcdef', '2026-01-01')`,
    );
    const before = await tablesAndIndexes();
    expect(await dataSource.runMigrations()).toEqual([]);
    expect(await tablesAndIndexes()).toEqual(before);
    expect(await dataSource.query(`SELECT app_id FROM ${schema}.wechat_sign_in`)).toEqual([
      { app_id: 'wx0123456789abcdef' },
    ]);
  });

  it('take back all that they made, and make it again', async () => {
    await dataSource.runMigrations();
    const made = await tablesAndIndexes();
    for (let undone = 0; undone < wechatAuthMigrations.length; undone++) await dataSource.undoLastMigration();
    expect(await tablesAndIndexes()).toEqual({ tables: [`${schemaName}.migrations`], indexes: [] });
    await dataSource.runMigrations();
    expect(await tablesAndIndexes()).toEqual(made);
  });

  it('are what the check at start asks for', async () => {
    await dataSource.runMigrations();
    expect(await problems()).toEqual([]);
  });

  it('are named as the cure by the check at start, with every table that is missing', async () => {
    expect(await problems()).toEqual([
      `The database lacks ${listed(TABLES.map((name) => `the table ${path(name)}`))}. ${migrate()}`,
    ]);
  });

  it.each([
    ['a table', 'DROP TABLE {schema}.wechat_sign_in', 'the table {path}wechat_sign_in'],
    [
      'columns',
      'ALTER TABLE {schema}.wechat_grant DROP COLUMN unionid, DROP COLUMN signed_in_at',
      'the column {path}wechat_grant.unionid and the column {path}wechat_grant.signed_in_at',
    ],
    [
      'an index that makes a callback exchange its code once',
      'DROP INDEX {schema}.wechat_sign_in_state_digest_key',
      'the index wechat_sign_in_state_digest_key',
    ],
    [
      'an index that TypeORM cannot describe',
      'DROP INDEX {schema}.wechat_grant_sealed_tokens_header_idx',
      'the index wechat_grant_sealed_tokens_header_idx',
    ],
    [
      'several things',
      'DROP INDEX {schema}.wechat_sign_in_expires_at_idx; ALTER TABLE {schema}.wechat_sign_in DROP COLUMN scope; DROP TABLE {schema}.wechat_grant',
      'the table {path}wechat_grant, the column {path}wechat_sign_in.scope and the index wechat_sign_in_expires_at_idx',
    ],
  ])('are named as the cure where the database lacks %s', async (_missing, sql, named) => {
    await dataSource.runMigrations();
    await dataSource.query(sql.replaceAll('{schema}', schema));
    expect(await problems()).toEqual([
      `The database lacks ${named.replaceAll('{path}', path(''))}. ${migrate()}`,
    ]);
  });

  it('are named as the cure where only the older of them were run', async () => {
    await dataSource.runMigrations();
    await dataSource.undoLastMigration();
    expect(await problems()).toEqual([
      expect.stringMatching(/^The database lacks the .*npx nestjs-wechat-auth migrate/),
    ]);
  });

  function migrate(): string {
    const options = schemaOption === undefined ? '' : ` --schema ${schemaOption}`;
    return `Run npx nestjs-wechat-auth migrate${options}; or give TypeOrmModule.forRoot() migrations: [...wechatAuthMigrations] and run those as you run your own (migrationsRun: true does at each start).`;
  }

  function path(table: string): string {
    return `${schemaOption === undefined ? '' : `${schemaOption}.`}${table}`;
  }
});

describe('the check at start', () => {
  it('is not misled by tables in a schema that the data source does not use', async () => {
    await connect();
    await dataSource.runMigrations();
    await dataSource.query('CREATE SCHEMA empty');
    await dataSource.destroy();
    await connect('empty');
    expect(await problems()).toEqual([
      expect.stringContaining('lacks the table empty.wechat_grant, the table empty.wechat_sign_in'),
    ]);
  });

  it('finds the tables by the search path, as the statements do', async () => {
    await connect();
    await dataSource.query('CREATE SCHEMA elsewhere');
    await dataSource.destroy();
    await connect('elsewhere');
    await dataSource.runMigrations();
    await dataSource.destroy();
    await connect(undefined, { extra: { options: '-c search_path=elsewhere' } });
    expect(await problems()).toEqual([]);
  });

  it('gives the command what it cannot know: the schema and the table of migrations', async () => {
    await connect('my shop', { migrationsTableName: 'typeorm_migrations' });
    expect(await problems()).toEqual([
      expect.stringContaining(
        "Run npx nestjs-wechat-auth migrate --schema 'my shop' --migrations-table typeorm_migrations; or",
      ),
    ]);
  });

  it('gives its connection back, also where tables are missing', async () => {
    await connect(undefined, { poolSize: 1, connectTimeoutMS: 2_000 });
    await problems();
    await dataSource.runMigrations();
    await problems();
    expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('asks for nothing that TypeORM’s own synchronize does not make', async () => {
    await connect(undefined, { synchronize: true });
    expect(await problems()).toEqual([]);
  });

  it('refuses another database than PostgreSQL', async () => {
    await connect();
    const options: DataSourceOptions = { type: 'mysql', url: 'mysql://127.0.0.1:1/none' };
    expect(await problems({ options })).toEqual([
      "The TypeORM data source is of type mysql. Use PostgreSQL: TypeOrmModule.forRoot({ type: 'postgres', ... }).",
    ]);
  });

  it('refuses a prefix of table names, which migrations do not follow', async () => {
    await connect(undefined, { entityPrefix: 'shop_' });
    await dataSource.runMigrations();
    expect(await problems()).toEqual([
      'The TypeORM data source has an entityPrefix, which migrations do not follow. Use the option schema instead, or a data source of its own for this module.',
    ]);
  });

  it('refuses names of the host’s own making, which migrations do not follow either', async () => {
    class Shouting extends DefaultNamingStrategy {
      override columnName(propertyName: string, customName: string | undefined): string {
        return (customName ?? propertyName).toUpperCase();
      }
    }
    await connect(undefined, { namingStrategy: new Shouting() });
    await dataSource.runMigrations();
    expect(await problems()).toEqual([
      'The TypeORM data source has a namingStrategy that renames what this module names, which migrations do not follow. Let it keep names that are given, or use a data source of its own for this module.',
    ]);
  });

  it('refuses a data source that does not know the entities', async () => {
    await connect(undefined, { entities: [] });
    await dataSource.runMigrations();
    expect(await problems()).toEqual([
      'The TypeORM data source does not know the entities of this module. Set autoLoadEntities: true, or entities: [...wechatAuthEntities], in TypeOrmModule.forRoot().',
    ]);
  });

  it('refuses a data source that is not connected', async () => {
    await connect();
    expect(await problems({ isInitialized: false })).toEqual([
      'The TypeORM data source is not connected yet, so nothing can be read or stored. Leave manualInitialization out, or call initialize() on the data source before the application starts.',
    ]);
  });

  it('lets the database speak for itself where it cannot be asked', async () => {
    await connect();
    await database.drop();
    await expect(problems()).rejects.toThrow(/does not exist|terminat/);
  });
});

/** What the check finds, in a data source that may differ from the real one. */
async function problems(
  changes: Partial<Pick<DataSource, 'options' | 'isInitialized'>> = {},
): Promise<string[]> {
  const checked = Object.assign(Object.create(dataSource) as DataSource, changes);
  return (await schemaProblems(checked)).map(({ problem, cure }) => `${problem} ${cure}`);
}

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { WechatConfigurationError } from '../../src/common/errors.js';
import { SchemaCheck } from '../../src/grants/schema.check.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let dataSource: DataSource;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await dataSource.destroy();
  await database.drop();
});

async function connect(schema?: string): Promise<DataSource> {
  dataSource = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: wechatAuthEntities,
    migrations: wechatAuthMigrations,
    ...(schema !== undefined && { schema }),
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
    expect((await tablesAndIndexes()).tables).toEqual([
      `${schemaName}.migrations`,
      `${schemaName}.wechat_grant`,
      `${schemaName}.wechat_sign_in`,
    ]);
  });

  it('make an index for every key and every query, and no other', async () => {
    await dataSource.runMigrations();
    expect((await tablesAndIndexes()).indexes).toEqual([
      `CREATE UNIQUE INDEX wechat_grant_pkey ON ${schema}.wechat_grant USING btree (app_id, openid)`,
      `CREATE INDEX wechat_sign_in_browser_idx ON ${schema}.wechat_sign_in USING btree (browser_digest, completed_at)`,
      `CREATE UNIQUE INDEX wechat_sign_in_code_digest_key ON ${schema}.wechat_sign_in USING btree (code_digest)`,
      `CREATE INDEX wechat_sign_in_expires_at_idx ON ${schema}.wechat_sign_in USING btree (expires_at)`,
      `CREATE UNIQUE INDEX wechat_sign_in_pkey ON ${schema}.wechat_sign_in USING btree (id)`,
      `CREATE UNIQUE INDEX wechat_sign_in_state_digest_key ON ${schema}.wechat_sign_in USING btree (state_digest)`,
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
    await expect(new SchemaCheck(dataSource).onModuleInit()).resolves.toBeUndefined();
  });

  it('are named as the cure by the check at start, with every table that is missing', async () => {
    const missing = `${schemaOption === undefined ? '' : 'Shop.'}wechat_`;
    expect(await problemsAtStart()).toEqual([
      `The database lacks the table ${missing}grant and the table ${missing}sign_in. Run the migrations: TypeOrmModule.forRoot({ ..., migrations: [...wechatAuthMigrations], migrationsRun: true }), or add wechatAuthMigrations to the data source of your own migration command.`,
    ]);
  });

  it('are named as the cure where one table alone is missing', async () => {
    await dataSource.runMigrations();
    await dataSource.query(`DROP TABLE ${schema}.wechat_sign_in`);
    expect(await problemsAtStart()).toEqual([
      expect.stringMatching(/^The database lacks the table (Shop\.)?wechat_sign_in\. Run the migrations: /),
    ]);
  });
});

describe('the check at start', () => {
  it('is not misled by tables in a schema that the data source does not use', async () => {
    await connect();
    await dataSource.runMigrations();
    await dataSource.query('CREATE SCHEMA empty');
    await dataSource.destroy();
    await connect('empty');
    expect(await problemsAtStart()).toEqual([
      expect.stringContaining('lacks the table empty.wechat_grant and the table empty.wechat_sign_in'),
    ]);
  });

  it('gives its connection back, also where tables are missing', async () => {
    dataSource = await new DataSource({
      type: 'postgres',
      url: database.url,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
      poolSize: 1,
      connectTimeoutMS: 2_000,
    }).initialize();
    await problemsAtStart();
    await dataSource.runMigrations();
    await new SchemaCheck(dataSource).onModuleInit();
    expect(await dataSource.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('refuses another database than PostgreSQL', async () => {
    await connect();
    const options: DataSourceOptions = { type: 'mysql', url: 'mysql://127.0.0.1:1/none' };
    await expect(problemsAtStart({ options })).resolves.toEqual([
      "The TypeORM data source is of type mysql. Use PostgreSQL: TypeOrmModule.forRoot({ type: 'postgres', ... }).",
    ]);
  });

  it('refuses a prefix of table names, which migrations do not follow', async () => {
    await connect();
    await dataSource.runMigrations();
    const options: DataSourceOptions = { type: 'postgres', entityPrefix: 'shop_' };
    await expect(problemsAtStart({ options })).resolves.toEqual([
      'The TypeORM data source has an entityPrefix, which migrations do not follow. Use the option schema instead, or a data source of its own for this module.',
    ]);
  });
});

async function problemsAtStart(
  changes: Partial<Pick<DataSource, 'options'>> = {},
): Promise<readonly string[]> {
  const checked = Object.assign(Object.create(dataSource) as DataSource, changes);
  try {
    await new SchemaCheck(checked).onModuleInit();
  } catch (error) {
    if (error instanceof WechatConfigurationError) return error.problems;
    throw error;
  }
  throw new Error('The check found nothing wrong.');
}

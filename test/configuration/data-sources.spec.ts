import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ModuleMetadata } from '@nestjs/common';
import { WechatAuthModule, wechatAuthMigrations, WechatConfigurationError } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { listed, TABLES } from '../support/tables.js';
import { TestWorld } from '../support/test-app.js';
import { database, settingsFor, signIn, startHost } from './host.application.js';

let world: TestWorld;
let other: TestDatabase;

beforeEach(async () => {
  world = await TestWorld.create();
  other = await createTestDatabase();
});
afterEach(async () => {
  await world.close();
  await other.drop();
});

const migrated = { migrations: [...wechatAuthMigrations], migrationsRun: true };

describe('a host of several data sources', () => {
  it.each<[string, (url: string) => ReturnType<typeof WechatAuthModule.forRoot>]>([
    ['forRoot()', (url) => WechatAuthModule.forRoot({ ...settingsFor(world, url), dataSource: 'wechat' })],
    [
      'forRootAsync()',
      (url) =>
        WechatAuthModule.forRootAsync({ dataSource: 'wechat', useFactory: () => settingsFor(world, url) }),
    ],
  ])('keeps what users grant in the one that %s names', async (_, configured) => {
    const host = await startHost((url) => [
      database(world, { url: other.url }),
      database(world, { name: 'wechat' }),
      configured(url),
    ]);
    try {
      const { openid } = await signIn(host);
      expect(await world.query('SELECT openid FROM wechat_grant')).toEqual([{ openid }]);
    } finally {
      await host.app.close();
    }
  });

  it('is told which tables the named one lacks, whatever the default one has', async () => {
    await expect(
      startHost((url) => [
        database(world),
        database(world, { name: 'wechat', url: other.url }),
        WechatAuthModule.forRoot({ ...settingsFor(world, url), dataSource: 'wechat' }),
      ]),
    ).rejects.toThrow(`The database lacks ${listed(TABLES.map((name) => `the table ${name}`))}.`);
  });
});

describe('a host whose data source is not the one that is named', () => {
  const problemsOf = async (imports: (url: string) => NonNullable<ModuleMetadata['imports']>) => {
    try {
      const { app } = await startHost(imports);
      await app.close();
    } catch (error) {
      if (error instanceof WechatConfigurationError) {
        return error.problems.map(({ problem, cure }) => `${problem} ${cure}`);
      }
      throw error;
    }
    throw new Error('The application started.');
  };

  /** Refused before it would be connected: nobody would close that connection. */
  const unconnected = (options: object = {}) => database(world, { manualInitialization: true, ...options });

  it('is told which there are, and the one that was probably meant', async () => {
    const problems = await problemsOf((url) => [
      unconnected(),
      unconnected({ name: 'second' }),
      WechatAuthModule.forRoot({ ...settingsFor(world, url), dataSource: 'secnd' }),
    ]);
    expect(problems).toEqual([
      'dataSource names a TypeORM data source that does not exist, secnd; there is: the default one, which has no name, second. Did you mean second?',
    ]);
  });

  it('is told to name the one there is, where it named none', async () => {
    const problems = await problemsOf((url) => [
      unconnected({ name: 'shop' }),
      WechatAuthModule.forRootAsync({ useFactory: () => settingsFor(world, url) }),
    ]);
    expect(problems).toEqual([
      "There is no default TypeORM data source; there is: shop. Name the one to use in the option dataSource: WechatAuthModule.forRoot({ dataSource: 'shop' }).",
    ]);
  });

  it('is told to import TypeOrmModule where there is none at all', async () => {
    const problems = await problemsOf((url) => [WechatAuthModule.forRoot(settingsFor(world, url))]);
    expect(problems).toEqual([
      "There is no TypeORM data source in this application. Import TypeOrmModule.forRoot({ type: 'postgres', ... }) in the root module, beside WechatAuthModule.",
    ]);
  });

  it('is not shown a connection string that stands in the place of a name', async () => {
    const [problem, ...others] = await problemsOf((url) => [
      unconnected(),
      WechatAuthModule.forRoot({ ...settingsFor(world, url), dataSource: 'postgres://app:hunter2@db/shop' }),
    ]);
    expect(problem).toContain('does not exist, a text of 30 characters;');
    expect(others).toEqual([]);
  });

  it('is told what else is wrong in the same message', async () => {
    const problems = await problemsOf((url) => [
      unconnected(),
      WechatAuthModule.forRoot({ ...settingsFor(world, url), appId: 'x', dataSource: 'second' }),
    ]);
    expect(problems).toEqual([
      expect.stringMatching(/^appId \(WECHAT_APP_ID\) is not the form/),
      expect.stringMatching(/^dataSource names a TypeORM data source that does not exist, second;/),
    ]);
  });
});

describe('a schema whose name a shell would take apart', () => {
  it('is named so that the command can be pasted', async () => {
    const schema = "o'shop & $HOME";
    const refused: unknown = await startHost((url) => [
      database(world, { schema }),
      WechatAuthModule.forRoot(settingsFor(world, url)),
    ]).catch((error: unknown) => error);
    const [, given = ''] = /migrate --schema (.*?); or give/.exec((refused as Error).message) ?? [];
    expect(execFileSync('sh', ['-c', `printf %s ${given}`]).toString()).toBe(schema);
  });
});

describe.each([['shop'], ['My Shop']])('the host’s schema %j', (schema) => {
  const tables = `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
    WHERE table_name LIKE 'wechat%' AND table_schema = '${schema}' ORDER BY 2`;

  beforeEach(async () => {
    await world.query(`DROP TABLE ${TABLES.join(', ')}, migrations`);
    await world.query(`CREATE SCHEMA "${schema}"`);
  });

  it('gets the tables, and everything that is stored', async () => {
    const start = () =>
      startHost((url) => [
        database(world, { schema, ...migrated }),
        WechatAuthModule.forRoot(settingsFor(world, url)),
      ]);
    const host = await start();
    try {
      const { openid } = await signIn(host);
      expect(await world.query(`SELECT openid FROM "${schema}".wechat_grant`)).toEqual([{ openid }]);
      expect(await world.query(tables)).toEqual(TABLES.toSorted().map((name) => ({ schema, name })));
    } finally {
      await host.app.close();
    }
    // The check at start now has rows to look at.
    const again = await start();
    await again.app.close();
  });

  it('is named where it lacks the tables, and where the key of its rows is gone', async () => {
    const start = (options: object, keys?: string) =>
      startHost((url) => [
        database(world, { schema, ...options }),
        WechatAuthModule.forRoot({ ...settingsFor(world, url), ...(keys !== undefined && { keys }) }),
      ]);
    await expect(start({})).rejects.toThrow(`The database lacks the table ${schema}.wechat_grant`);
    const host = await start(migrated);
    await signIn(host);
    await host.app.close();
    const refused: unknown = await start({}, `k2:${Buffer.alloc(32, 2).toString('base64')}`).catch(
      (error: unknown) => error,
    );
    const [, statement = ''] = /(DELETE FROM .*;)/.exec((refused as Error).message) ?? [];
    expect(statement).toContain(`"${schema}"."wechat_grant"`);
    await world.query(statement);
    expect(await world.query(`SELECT openid FROM "${schema}".wechat_grant`)).toEqual([]);
  });
});

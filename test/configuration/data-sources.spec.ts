import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WechatAuthModule, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
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
    ).rejects.toThrow('The database lacks the table wechat_grant and the table wechat_sign_in.');
  });
});

describe.each([['shop'], ['My Shop']])('the host’s schema %j', (schema) => {
  const tables = `SELECT table_schema AS schema, table_name AS name FROM information_schema.tables
    WHERE table_name LIKE 'wechat%' AND table_schema = '${schema}' ORDER BY 2`;

  beforeEach(async () => {
    await world.query('DROP TABLE wechat_grant, wechat_sign_in, migrations');
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
      expect(await world.query(tables)).toEqual([
        { schema, name: 'wechat_grant' },
        { schema, name: 'wechat_sign_in' },
      ]);
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

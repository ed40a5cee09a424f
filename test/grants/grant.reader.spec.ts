import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { DataSource, type Logger } from 'typeorm';
import { SystemRandomness } from '../../src/common/randomness.js';
import { Sealer } from '../../src/common/sealer.js';
import type { WechatScope } from '../../src/common/wechat-user.js';
import { GrantReader } from '../../src/grants/grant.reader.js';
import { GrantRepository } from '../../src/grants/grant.repository.js';
import { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const APP = 'wx0123456789abcdef';
const OTHER_APP = 'wx0123456789abcde0';

/** Notes the statements that go to the database. */
class StatementLog implements Logger {
  statements: string[] = [];

  logQuery(statement: string): void {
    this.statements.push(statement);
  }

  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

describe('GrantReader', () => {
  const log = new StatementLog();
  let database: TestDatabase;
  let dataSource: DataSource;
  let reader: GrantReader;

  beforeAll(async () => {
    database = await createTestDatabase();
    dataSource = await new DataSource({
      type: 'postgres',
      url: database.url,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
      logger: log,
    }).initialize();
    await dataSource.runMigrations();
    const grants = new GrantRepository(
      dataSource,
      new Sealer([{ kid: 'k1', secret: Buffer.alloc(32, 1) }], new SystemRandomness()),
    );
    const save = (appId: string, openid: string, scope: WechatScope) =>
      grants.saveAuthorization({
        appId,
        openid,
        scope,
        unionid: undefined,
        accessToken: 'a',
        refreshToken: 'r',
        requestedAt: new Date('2026-03-01T08:00:00.123Z'),
        accessTokenLifetimeMs: 7_200_000,
        refreshTokenLifetimeMs: 30 * 86_400_000,
      });
    for (let index = 0; index < 3; index++) await save(APP, `oUser${String(index)}`, 'userinfo');
    await save(OTHER_APP, 'oUser0', 'base');
    reader = new GrantReader(dataSource.getRepository(WechatGrant));
  });
  beforeEach(() => {
    log.statements = [];
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('reads a row as TypeORM does', async () => {
    const key = { appId: APP, openid: 'oUser1' };
    expect(await reader.find(key)).toStrictEqual(await dataSource.getRepository(WechatGrant).findOneBy(key));
  });

  it('answers all that ask at once by one statement for each account, each with the row of its own key', async () => {
    const asked: [string, string][] = [
      [APP, 'oUser2'],
      [APP, 'oNobody'],
      [OTHER_APP, 'oUser0'],
      [APP, 'oUser0'],
      ['wxNowhere', 'oUser0'],
    ];
    const found = await Promise.all(asked.map(([appId, openid]) => reader.find({ appId, openid })));
    expect(found.map((grant) => grant && [grant.appId, grant.openid, grant.pairScope])).toEqual([
      [APP, 'oUser2', 'userinfo'],
      null,
      [OTHER_APP, 'oUser0', 'base'],
      [APP, 'oUser0', 'userinfo'],
      null,
    ]);
    // One for each account.
    expect(log.statements).toHaveLength(3);
  });

  it('lets those who come while two statements are under way share the next one', async () => {
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    try {
      // Nobody gets an answer before this lock is given up.
      await other.query('BEGIN; LOCK TABLE wechat_grant IN ACCESS EXCLUSIVE MODE');
      const found: Promise<WechatGrant | null>[] = [];
      for (let index = 0; index < 50; index++) {
        found.push(reader.find({ appId: APP, openid: `oUser${String(index % 3)}` }));
        await new Promise(setImmediate);
      }
      await other.query('COMMIT');
      const grants = await Promise.all(found);
      expect(grants.map((grant) => grant?.openid)).toEqual(
        Array.from({ length: 50 }, (_, index) => `oUser${String(index % 3)}`),
      );
    } finally {
      await other.end();
    }
    expect(log.statements).toHaveLength(3);
  });

  it('gives two who ask for one row at once a copy each', async () => {
    const key = { appId: APP, openid: 'oUser0' };
    const [first, second] = await Promise.all([reader.find(key), reader.find(key)]);
    expect(first).toEqual(second);
    expect(first).not.toBe(second);
  });

  it('finds what was written since it was last asked', async () => {
    const key = { appId: APP, openid: 'oUser0' };
    await reader.find(key);
    const signedInAt = new Date('2026-03-02T09:10:11.012Z');
    await dataSource.getRepository(WechatGrant).update(key, { signedInAt });
    expect((await reader.find(key))?.signedInAt).toEqual(signedInAt);
  });

  it('rejects for all who asked where the database fails, and reads again afterwards', async () => {
    await dataSource.query('ALTER TABLE wechat_grant RENAME TO away');
    const outcomes = await Promise.allSettled(
      ['oUser0', 'oUser1'].map((openid) => reader.find({ appId: APP, openid })),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await dataSource.query('ALTER TABLE away RENAME TO wechat_grant');
    expect(await reader.find({ appId: APP, openid: 'oUser0' })).not.toBeNull();
  });
});

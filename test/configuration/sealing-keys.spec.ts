import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { WechatConfigurationError } from '../../src/common/errors.js';
import { sealingKeyProblems } from '../../src/grants/sealing-keys.check.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { TEST_KEY, type TestInstance, TestWorld } from '../support/test-app.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Visitor } from '../support/visitor.js';

const NEW_KEY = `k2:${Buffer.alloc(32, 2).toString('base64')}`;

describe('stored tokens whose key is not in WECHAT_AUTH_KEYS', () => {
  let world: TestWorld;
  let visitor: Visitor;

  beforeEach(async () => {
    world = await TestWorld.create();
    const site = await world.start();
    visitor = new Visitor();
    await visitor.answerConsent(await visitor.press(await visitor.open(`${site.url}/me`)), 'allow');
  });
  afterEach(() => world.close());

  const start = (keys: string): Promise<TestInstance> => world.start({ module: { keys } });

  async function problemAtStart(keys: string): Promise<{ problem: string; cure: string }> {
    const error: unknown = await start(keys).catch((thrown: unknown) => thrown);
    if (!(error instanceof WechatConfigurationError)) throw new Error('The start was not refused.');
    expect(error.problems).toHaveLength(1);
    return error.problems[0]!;
  }

  it('refuse the start, naming the key and the two ways out', async () => {
    const { problem, cure } = await problemAtStart(NEW_KEY);
    expect(problem).toBe(
      'keys (WECHAT_AUTH_KEYS) lacks the key k1, by which tokens in wechat_grant are sealed.',
    );
    expect(cure).toMatch(
      /^Put that key back, at the end of the list\. If it is lost for good, let the users of these rows sign in anew: DELETE FROM "wechat_grant" WHERE /,
    );
  });

  it('refuse the start also where another key has taken the name of theirs', async () => {
    const { problem, cure } = await problemAtStart(`k1:${Buffer.alloc(32, 9).toString('base64')}`);
    expect(problem).toBe(
      'keys (WECHAT_AUTH_KEYS): the key k1 is not the k1 by which tokens in wechat_grant are sealed.',
    );
    expect(cure).toContain('Put the former key back, and give the new one a name of its own.');
    await world.query(cure.slice(cure.indexOf('DELETE FROM')));
    await start(`k1:${Buffer.alloc(32, 9).toString('base64')}`);
  });

  it('do not refuse the start where a change of keys has left one that is damaged, with its old key', async () => {
    await world.query(`UPDATE wechat_grant SET sealed_tokens = sealed_tokens || 'A'`);
    await start(`${NEW_KEY},${TEST_KEY}`);
  });

  it('are not asked about where two keys have one name: which of them is meant is not known', async () => {
    const { problem } = await problemAtStart(`${TEST_KEY},k1:${Buffer.alloc(32, 9).toString('base64')}`);
    expect(problem).toBe('keys (WECHAT_AUTH_KEYS) has two entries with the kid k1.');
  });

  it('are served again once the key is put back, at the end of the list', async () => {
    const site = await start(`${NEW_KEY},${TEST_KEY}`);
    const { status, body } = await visitor.open(`${site.url}/me`);
    expect([status, body.includes('nickname')]).toEqual([200, true]);
  });

  it('may be given up by the statement of the message, and the users sign in anew', async () => {
    const { cure } = await problemAtStart(NEW_KEY);
    await world.query(cure.slice(cure.indexOf('DELETE FROM')));
    const site = await start(NEW_KEY);
    const { status, body } = await visitor.open(`${site.url}/hello`);
    expect([status, body.includes('openid')]).toEqual([200, true]);
    expect(await world.query('SELECT openid FROM wechat_grant')).toHaveLength(1);
  });
});

describe('the search for the keys of stored tokens', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeEach(async () => {
    database = await createTestDatabase();
    dataSource = await new DataSource({
      type: 'postgres',
      url: database.url,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
    }).initialize();
    await dataSource.runMigrations();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const headerOf = (claims: unknown): string => Buffer.from(JSON.stringify(claims)).toString('base64url');
  const headerOfKey = (kid: string): string => headerOf({ alg: 'dir', enc: 'A256GCM', kid });

  /** Rows whose tokens begin with these headers, in turns. */
  async function insert(count: number, headers: readonly string[]): Promise<void> {
    await dataSource.query(
      `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
         access_token_expires_at, refresh_token_expires_at, created_at, refresh_failures, consent_popup_wanted)
       SELECT 'wx0123456789abcdef', 'o' || n, 1, 'base', 'alive', 'unable',
         ($2::text[])[1 + n % cardinality($2::text[])] || '..' || md5(n::text) || '.' || repeat(md5(n::text), 8),
         '2026-01-01', '2026-01-01', '2026-01-01', 0, false
       FROM generate_series(1, $1::int) AS n`,
      [count, headers],
    );
  }

  const problemsWith = async (...kids: string[]): Promise<string[]> =>
    (
      await sealingKeyProblems(
        dataSource,
        kids.map((kid) => ({ kid })),
      )
    ).map(({ problem }) => problem);

  it('finds nothing where nothing is stored', async () => {
    expect(await problemsWith('k1')).toEqual([]);
  });

  it('finds each of several keys, and no key that is there', async () => {
    await insert(50, ['k1', 'k2', 'k3', 'a', 'Z9_-'].map(headerOfKey));
    const problems = await problemsWith('k2', 'k9');
    expect(problems.map((problem) => /lacks the key (\S+),/.exec(problem)?.[1]).sort()).toEqual([
      'Z9_-',
      'a',
      'k1',
      'k3',
    ]);
  });

  it('reads the header of any other writer of JOSE', async () => {
    await insert(2, [headerOf({ kid: 'k1', zip: 'DEF', enc: 'A256GCM', alg: 'dir' })]);
    expect(await problemsWith('k1')).toEqual([]);
    expect(await problemsWith('k2')).toEqual([expect.stringContaining('lacks the key k1,')]);
  });

  it('shows of a strange key id what a terminal can show, and not much of it', async () => {
    await insert(1, [headerOfKey(`\u001b[31m\n微信\u202e"';--${'x'.repeat(100)}`)]);
    expect(await problemsWith('k1')).toEqual([
      `keys (WECHAT_AUTH_KEYS) lacks the key ?[31m????"';--${'x'.repeat(18)}, by which tokens in wechat_grant are sealed.`,
    ]);
  });

  it.each([
    ['no JSON', Buffer.from('nothing').toString('base64url')],
    ['no object', headerOf(null)],
    ['a text alone', headerOf('k3')],
    ['no key id', headerOf({ alg: 'dir' })],
    ['a key id that is no text', headerOf({ kid: { k: 3 } })],
    ['statements of SQL', `'; DROP TABLE wechat_grant; --`],
    ['an endless text', 'A'.repeat(2_000)],
    ['nothing', ''],
  ])('leaves damage to a row for the next sign-in to mend: %s', async (_, header) => {
    await insert(1, [header]);
    expect(await problemsWith('k1')).toEqual([]);
  });

  it('asks the index, and not the table, however many rows there are', async () => {
    await insert(100_000, [
      ...Array<string>(997).fill(headerOfKey('k2')),
      ...['k1', 'k3', 'k4'].map(headerOfKey),
    ]);
    await dataSource.query('ANALYZE wechat_grant');
    const statements: string[] = [];
    const observed = Object.assign(Object.create(dataSource) as DataSource, {
      query: (sql: string) => {
        statements.push(sql);
        return dataSource.query(sql);
      },
    });
    const problems = await sealingKeyProblems(observed, [{ kid: 'k1' }, { kid: 'k2' }, { kid: 'k3' }]);
    expect(problems).toMatchObject([{ problem: expect.stringContaining('lacks the key k4,') as unknown }]);
    expect(statements).toHaveLength(1);
    const plan = (
      await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN (ANALYZE, BUFFERS) ${statements[0]!}`)
    ).map((line) => line['QUERY PLAN']);
    expect(plan.join('\n')).not.toContain('Seq Scan');
    expect(plan.join('\n')).toContain('Index Scan using wechat_grant_sealed_tokens_header_idx');
    const [, hit = '0', read = '0'] = /Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?/.exec(plan.join('\n'))!;
    expect(Number(hit) + Number(read)).toBeLessThan(100);
  });
});

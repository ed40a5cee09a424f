import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WechatAuthModule, type WechatAuthOptions, WechatConfigurationError } from '../../src/index.js';
import { listed, TABLES } from '../support/tables.js';
import { TestWorld } from '../support/test-app.js';
import { database, settingsFor, signIn, startHost } from './host.application.js';

let world: TestWorld;
/** A role that may log in and nothing else, with a name that statements have to quote. */
let role: string;
let grantAll: string;

beforeEach(async () => {
  world = await TestWorld.create();
  role = `The "app" ${randomBytes(4).toString('hex')}`;
  await world.query(`CREATE ROLE ${quoted(role)}`);
  grantAll = `GRANT SELECT, INSERT, UPDATE, DELETE ON ${TABLES.join(', ')} TO ${quoted(role)}`;
});
afterEach(async () => {
  await world.query(`DROP OWNED BY ${quoted(role)}; DROP ROLE ${quoted(role)}`);
  await world.close();
});

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Connects as that role. */
const startAsRole = (options: WechatAuthOptions = {}, connection: object = {}) =>
  startHost((url) => [
    database(world, {
      extra: { options: `-c role=${role.replaceAll(' ', '\\ ')}` },
      ...connection,
    }),
    WechatAuthModule.forRoot({ ...settingsFor(world, url), ...options }),
  ]);

async function problemsAsRole(
  options: WechatAuthOptions = {},
  connection: object = {},
): Promise<WechatConfigurationError['problems']> {
  try {
    const { app } = await startAsRole(options, connection);
    await app.close();
  } catch (error) {
    if (error instanceof WechatConfigurationError) return error.problems;
    throw error;
  }
  throw new Error('The application started.');
}

/** As whoever reads the message does. */
async function runStatementOf({ cure }: { cure: string }): Promise<void> {
  await world.query(cure.slice(cure.indexOf('GRANT')));
}

describe('a database role without rights on the tables', () => {
  it('does not hide what else is wrong', async () => {
    const problems = await problemsAsRole({ appId: 'x', publicUrl: 'http://a.com' });
    expect(problems.map(({ problem }) => problem)).toEqual([
      expect.stringMatching(/^appId \(WECHAT_APP_ID\) is not the form/),
      expect.stringMatching(/^publicUrl \(WECHAT_PUBLIC_URL\) has http:\/\/a\.com: plain http/),
      `The database role ${quoted(role)} lacks SELECT, INSERT, UPDATE and DELETE on ${listed(TABLES.map((name) => `public.${name}`))}.`,
    ]);
  });

  it('is told the statement after which users can sign in', async () => {
    const [problem, ...others] = await problemsAsRole();
    expect(others).toEqual([]);
    await runStatementOf(problem!);
    const host = await startAsRole();
    try {
      expect(await signIn(host)).toMatchObject({ scope: 'base' });
    } finally {
      await host.app.close();
    }
  });

  it('is told only of the rights that it lacks, and where', async () => {
    await world.query(`${grantAll}; REVOKE INSERT, DELETE ON wechat_sign_in FROM ${quoted(role)}`);
    expect((await problemsAsRole()).map(({ problem }) => problem)).toEqual([
      `The database role ${quoted(role)} lacks INSERT and DELETE on public.wechat_sign_in.`,
    ]);
  });

  it('may have them by columns as well', async () => {
    await world.query(`${grantAll}; REVOKE UPDATE ON wechat_sign_in FROM ${quoted(role)}`);
    const columns = await world.query<{ name: string }>(
      `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'wechat_sign_in'`,
    );
    const list = columns.map(({ name }) => name).join(', ');
    await world.query(`GRANT UPDATE (${list}) ON wechat_sign_in TO ${quoted(role)}`);
    const host = await startAsRole();
    await host.app.close();
  });
});

describe.each([
  ['the schema that everybody looks into', 'public', {}],
  ['a schema of the host’s', 'My Shop', { schema: 'My Shop' }],
])('a database role that may not use %s', (_, schema, connection) => {
  beforeEach(async () => {
    if (schema !== 'public') {
      await world.query(
        [
          `CREATE SCHEMA "${schema}"`,
          ...TABLES.map((name) => `ALTER TABLE ${name} SET SCHEMA "${schema}"`),
        ].join('; '),
      );
    }
    await world.query(`REVOKE USAGE ON SCHEMA "${schema}" FROM PUBLIC`);
  });

  it('is told so, and not that tables are missing', async () => {
    await world.query(
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${schema}" TO ${quoted(role)}`,
    );
    const [problem, ...others] = await problemsAsRole({}, connection);
    expect(problem?.problem).toBe(
      `The database role ${quoted(role)} may not use the schema ${schema === 'public' ? schema : quoted(schema)}, where the tables are.`,
    );
    expect(others).toEqual([]);
    await runStatementOf(problem!);
    const host = await startAsRole({}, connection);
    await host.app.close();
  });

  it('is told of the rights on the tables as well, in the same message', async () => {
    const problems = await problemsAsRole({}, connection);
    expect(problems.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('may not use the schema'),
      expect.stringContaining('lacks SELECT, INSERT, UPDATE and DELETE on'),
    ]);
    for (const problem of problems) await runStatementOf(problem);
    const host = await startAsRole({}, connection);
    await host.app.close();
  });

  it('is still told to migrate where there are no tables', async () => {
    await world.query(
      `DROP TABLE ${TABLES.map((name) => `"${schema}".${name}`).join(', ')}; GRANT USAGE ON SCHEMA "${schema}" TO ${quoted(role)}`,
    );
    expect((await problemsAsRole({}, connection)).map(({ problem }) => problem)).toEqual([
      expect.stringMatching(
        /^The database lacks the table .*wechat_grant, .* and the table .*wechat_lease\.$/,
      ),
    ]);
  });
});

describe('whatever else the database throws when it is asked', () => {
  /** Looks at the tables, and then fails in the search for keys. */
  const failing = {
    logging: ['query'],
    logger: {
      logQuery(sql: string) {
        if (sql.startsWith('WITH RECURSIVE')) throw new Error('canceling statement due to statement timeout');
      },
      logQueryError() {},
      logQuerySlow() {},
      logSchemaBuild() {},
      logMigration() {},
      log() {},
    },
  };
  const start = (options: WechatAuthOptions) =>
    startHost((url) => [
      database(world, failing),
      WechatAuthModule.forRoot({ ...settingsFor(world, url), ...options }),
    ]);

  it('comes after what is wrong otherwise, in one message', async () => {
    await expect(start({ appId: 'x' })).rejects.toThrow(
      /appId \(WECHAT_APP_ID\) is not the form[^]*The database could not be asked .*: canceling statement due to statement timeout\. Mend/,
    );
  });

  it('stays as it is where nothing is wrong otherwise', async () => {
    const failure: unknown = await start({}).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(WechatConfigurationError);
    expect(failure).toMatchObject({ message: 'canceling statement due to statement timeout' });
  });
});

import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { DataSource, type MigrationInterface } from 'typeorm';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TABLES } from '../support/tables.js';
import { type CommandOptions, type CommandRun, runCommand, spawnCommand } from './command.runner.js';

// A process of its own loads everything anew.
jest.setTimeout(60_000);

const NAMES = wechatAuthMigrations.map((Migration) => new Migration().name);

let database: TestDatabase;
let admin: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
});
afterEach(async () => {
  await admin.end();
  await database.drop();
});

function migrate(args: string[] = [], options: CommandOptions = {}): Promise<CommandRun> {
  return runCommand(['migrate', ...args], {
    ...options,
    env: { DATABASE_URL: database.url, ...options.env },
  });
}

/** In a process of its own. */
function spawnMigrate(options: Parameters<typeof spawnCommand>[1] = {}): Promise<CommandRun> {
  return spawnCommand(['migrate'], { ...options, env: { DATABASE_URL: database.url, ...options.env } });
}

/** Every table that is not PostgreSQL's own, with its schema. */
async function tables(): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

const MADE_TABLES = ['migrations', ...TABLES.toSorted()].map((name) => `public.${name}`);

describe('migrate', () => {
  it('makes the tables, says what it ran, and finds nothing to do the next time', async () => {
    const first = await spawnMigrate();
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    const { pathname, host } = new URL(database.url);
    const [where, ...ran] = first.stdout.trimEnd().split('\n');
    expect(where).toBe(`In the database ${pathname.slice(1)} at ${host}, schema public:`);
    expect(ran.map((line) => /^ {2}ran (\w+) in \d+ ms$/.exec(line)?.[1])).toEqual(NAMES);
    expect(await tables()).toEqual(MADE_TABLES);

    const second = await migrate();
    expect(second).toMatchObject({ exitCode: 0, stderr: '' });
    expect(second.stdout).toContain('Nothing to do');
    expect(second.stdout).not.toContain('ran ');
  });

  it('leaves the data source of the application nothing to do, and the other way round', async () => {
    await migrate();
    const host = await new DataSource({
      type: 'postgres',
      url: database.url,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
    }).initialize();
    try {
      expect(await host.runMigrations()).toEqual([]);
      await host.undoLastMigration();
    } finally {
      await host.destroy();
    }
    const again = await migrate();
    expect(again.stdout.match(/ran \w+/g)).toEqual([`ran ${NAMES.at(-1) ?? ''}`]);
  });

  it('only tells what it would do, if that is all that is asked', async () => {
    const run = await migrate(['--dry-run']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout.match(/would run \w+/g)).toEqual(NAMES.map((name) => `would run ${name}`));
    expect(await tables()).toEqual([]);
    await migrate();
    expect((await migrate(['--dry-run'])).stdout).toContain('Nothing to do');
  });

  it('shares its table with migrations of the host, older and newer ones, whatever their order', async () => {
    class HostBefore1000000000000 implements MigrationInterface {
      async up(): Promise<void> {}
      async down(): Promise<void> {}
    }
    class HostAfter9999999999999 extends HostBefore1000000000000 {}
    const host = await new DataSource({
      type: 'postgres',
      url: database.url,
      migrations: [HostBefore1000000000000, HostAfter9999999999999],
    }).initialize();
    try {
      await host.runMigrations();
      expect(await migrate()).toMatchObject({ exitCode: 0 });
      expect(await migrate()).toMatchObject({
        exitCode: 0,
        stdout: expect.stringContaining('Nothing to do'),
      });
      expect(await host.runMigrations()).toEqual([]);
    } finally {
      await host.destroy();
    }
    const { rows } = await admin.query<{ name: string }>('SELECT name FROM migrations ORDER BY id');
    expect(rows.map(({ name }) => name)).toEqual([
      HostBefore1000000000000.name,
      HostAfter9999999999999.name,
      ...NAMES,
    ]);
  });

  it('runs once where two deployments start it at the same time: the other waits and finds it done', async () => {
    await admin.query('BEGIN');
    await admin.query('SELECT pg_advisory_xact_lock(2003133288, 1635087464)');
    const both = [spawnMigrate(), spawnMigrate()];
    await waitingForLock(2);
    expect(await tables()).toEqual([]);
    await admin.query('COMMIT');
    const runs = await Promise.all(both);
    for (const { exitCode, stderr } of runs) {
      expect(exitCode).toBe(0);
      expect(stderr).toBe('Another run of migrate is busy on this database; waiting for it to end.\n');
    }
    const outputs = runs.map(({ stdout }) => stdout);
    expect(outputs.filter((stdout) => stdout.includes(`ran ${NAMES[0] ?? ''}`))).toHaveLength(1);
    expect(outputs.filter((stdout) => stdout.includes('Nothing to do'))).toHaveLength(1);
  });

  it('does not wait for ever', async () => {
    await admin.query('BEGIN');
    await admin.query('SELECT pg_advisory_xact_lock(2003133288, 1635087464)');
    const { exitCode, stderr } = await migrate(['--wait', '1']);
    await admin.query('ROLLBACK');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('has not ended within 1 s');
    expect(stderr).toContain('pg_stat_activity');
    expect(await tables()).toEqual([]);
  });

  it('rolls back whole if a migration fails half way', async () => {
    // The first migration makes wechat_grant before it comes to this one.
    await admin.query('CREATE TABLE wechat_sign_in (id integer)');
    const { exitCode, stderr, stdout } = await migrate();
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(
      '"wechat_sign_in" exists, but "migrations" does not have the migration that makes it',
    );
    expect(stderr).toContain('--migrations-table');
    expect(await tables()).toEqual(['public.wechat_sign_in']);
  });

  it('goes on to the end if nobody reads what it prints', async () => {
    const run = await spawnMigrate({ onStart: ({ stdout }) => stdout?.destroy() });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await tables()).toEqual(MADE_TABLES);
  });

  it('says so if the tables are gone although their migrations have run', async () => {
    await migrate();
    await admin.query('DROP TABLE wechat_sign_in');
    const { exitCode, stderr } = await migrate();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('lacks the table wechat_sign_in');
    expect(stderr).toContain(`delete this module's rows from "migrations"`);
  });
});

describe('migrate and doctor, where nothing but indexes is gone,', () => {
  it('tell how to make them again, and that does it', async () => {
    await migrate();
    await admin.query('DROP INDEX wechat_grant_sealed_tokens_header_idx, wechat_sign_in_code_digest_key');
    const { exitCode, stderr } = await migrate();
    expect(exitCode).toBe(1);
    expect(stderr).not.toContain('drop wechat_grant');
    const statements = /CREATE .*;/.exec(stderr)?.[0] ?? '';
    expect(statements).toContain(`"wechat_grant" (split_part("sealed_tokens", '.', 1));`);
    expect(statements).toContain('CREATE UNIQUE INDEX "wechat_sign_in_code_digest_key"');
    const doctor = await runCommand(['doctor', '--offline', '--json'], {
      env: { DATABASE_URL: database.url },
    });
    const { findings } = JSON.parse(doctor.stdout) as { findings: { cure?: string }[] };
    expect(findings.filter(({ cure }) => cure?.includes(statements))).toHaveLength(1);
    await admin.query(statements);
    expect(await migrate()).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('migrate --schema and --migrations-table', () => {
  it('put everything there, with capitals and blanks in the names', async () => {
    await admin.query('CREATE SCHEMA "Shop Floor"');
    const args = ['--schema', 'Shop Floor', '--migrations-table', 'Our Migrations'];
    expect(await migrate(args)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await tables()).toEqual(
      ['Our Migrations', ...TABLES.toSorted()].map((name) => `Shop Floor.${name}`),
    );
    expect((await migrate(args)).stdout).toContain('schema Shop Floor:\n  Nothing to do');
  });

  it('do not make a schema out of a slip of the pen, but say which there are', async () => {
    await admin.query('CREATE SCHEMA shop');
    const { exitCode, stderr } = await migrate(['--schema', 'Shop']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('There is no schema Shop');
    expect(stderr).toContain('It has: public, shop.');
    expect(stderr).toContain('CREATE SCHEMA "Shop";');
    expect(await tables()).toEqual([]);
  });

  it("refuse a table that is another tool's, and change nothing", async () => {
    await admin.query('CREATE TABLE migrations (id serial, migration text, batch integer)');
    const { exitCode, stderr } = await migrate();
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`The table "public"."migrations" is not one of TypeORM's`);
    expect(stderr).toContain('--migrations-table');
    expect(await tables()).toEqual(['public.migrations']);
  });
});

describe('migrate, with a database that it cannot use, names the cause and the cure:', () => {
  function withUrl(change: (url: URL) => void): string {
    const url = new URL(database.url);
    change(url);
    return url.href;
  }

  it('a wrong password', async () => {
    const env = { DATABASE_URL: withUrl((url) => (url.password = 'hunter2hunter2')) };
    const { exitCode, stderr } = await migrate([], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('The user name or the password is wrong');
  });

  it('a database that does not exist', async () => {
    const env = { DATABASE_URL: withUrl((url) => (url.pathname = '/no_such_database')) };
    const { exitCode, stderr } = await migrate([], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('does not have the database no_such_database');
  });

  it('a role that may not make tables', async () => {
    const role = `limited_${randomBytes(6).toString('hex')}`;
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'hunter2hunter2'`);
    try {
      await admin.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
      const env = {
        DATABASE_URL: withUrl((url) => {
          url.username = role;
          url.password = 'hunter2hunter2';
        }),
      };
      const { exitCode, stderr } = await migrate([], { env });
      expect(exitCode).toBe(1);
      expect(stderr).toContain('lacks a permission');
      expect(stderr).toContain('GRANT USAGE, CREATE ON SCHEMA');
      expect(stderr).toContain('Nothing was changed');
    } finally {
      await admin.query(`DROP ROLE ${role}`);
    }
  });

  it('a database that can only be read', async () => {
    const env = {
      DATABASE_URL: withUrl((url) => url.searchParams.set('options', '-c default_transaction_read_only=on')),
    };
    const { exitCode, stderr } = await migrate([], { env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Nothing can be written');
    expect(stderr).toContain('replica');
  });
});

describe('the file .env', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nestjs-wechat-auth-env-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const NOBODY = 'postgres://shop:hunter2hunter2@127.0.0.1:1/shop';

  it('is read where there is one, and another where that is asked for', async () => {
    writeFileSync(join(folder, '.env'), `# settings\nDATABASE_URL="${database.url}"\n`);
    writeFileSync(join(folder, '.env.other'), `DATABASE_URL=${NOBODY}\n`);
    expect(await spawnCommand(['migrate'], { cwd: folder })).toMatchObject({ exitCode: 0 });
    const other = await runCommand(['migrate', '--settings', '.env.other'], { cwd: folder });
    expect(other).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('127.0.0.1:1') });
  });

  it('yields to the environment', async () => {
    writeFileSync(join(folder, '.env'), `DATABASE_URL=${NOBODY}\n`);
    expect(await migrate([], { cwd: folder })).toMatchObject({ exitCode: 0 });
  });

  it('has to be there if it is asked for by name', async () => {
    const { exitCode, stderr } = await spawnCommand(['migrate', '--settings', 'nowhere.env'], {
      cwd: folder,
      env: { DATABASE_URL: database.url },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`There is no file ${join(folder, 'nowhere.env')}.`);
    expect(await tables()).toEqual([]);
  });

  it('may begin with a byte order mark, as the editors of Windows write it', async () => {
    writeFileSync(join(folder, '.env'), `\uFEFFDATABASE_URL=${database.url}\n`);
    expect(await runCommand(['migrate'], { cwd: folder })).toMatchObject({ exitCode: 0 });
  });

  it.each<[string, Buffer]>([
    ['UTF-16', Buffer.from(`\uFEFFDATABASE_URL=${NOBODY}`, 'utf16le')],
    ['GBK', Buffer.from([0x23, 0xc9, 0xcc, 0xb3, 0xc7, 0x0a])],
  ])('is refused in %s, with the cure', async (encoding, bytes) => {
    writeFileSync(join(folder, '.env'), bytes);
    const { exitCode, stderr } = await migrate([], { cwd: folder });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(encoding);
    expect(stderr).toContain('Save it again with the encoding UTF-8');
  });

  it('may be a folder, as the virtual environments of Python are', async () => {
    mkdirSync(join(folder, '.env'));
    expect(await migrate([], { cwd: folder })).toMatchObject({ exitCode: 0 });
  });
});

/** Until so many connections stand in line for an advisory lock of this database. */
async function waitingForLock(count: number): Promise<void> {
  for (;;) {
    const { rows } = await admin.query<{ waiting: number }>(
      `SELECT count(*)::integer AS waiting FROM pg_locks JOIN pg_database ON pg_database.oid = database
       WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`,
    );
    if (rows[0]?.waiting === count) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

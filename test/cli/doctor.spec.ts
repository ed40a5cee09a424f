import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createTestDatabase } from '../support/database.js';
import { listed, TABLES } from '../support/tables.js';
import { FOLDER_WITH_PACKAGES, runCommand, spawnCommand } from './command.runner.js';
import { complaints, type Diagnosis, DoctorWorld, KEY, query } from './doctor.harness.js';

// A process of its own loads everything anew.
jest.setTimeout(60_000);

let world: DoctorWorld;
beforeAll(async () => {
  world = await DoctorWorld.create();
});
afterAll(() => world.close());

describe('doctor', () => {
  it('finds nothing wrong where nothing is, and says what it has looked at', async () => {
    const run = await spawnCommand(['doctor'], { env: world.env, cwd: FOLDER_WITH_PACKAGES });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    const lines = run.stdout.trimEnd().split('\n');
    expect(lines.filter((line) => /^\S/.test(line))).toEqual([
      'Versions',
      'Environment',
      'Keys',
      'Public URL',
      'Database',
      'Clock',
      'WeChat',
      'Fine: no errors, no warnings.',
    ]);
    expect(run.stdout).toContain('@nestjs/core ');
    expect(run.stdout).toContain('All migrations have run.');
    expect(run.stdout.replace(/\s+/g, ' ')).toContain('knows the app id');
  });

  it('prints one JSON document with the same', async () => {
    const { exitCode, ok, findings } = await world.diagnose();
    expect({ exitCode, ok }).toEqual({ exitCode: 0, ok: true });
    expect(findings.every(({ status }) => status === 'ok')).toBe(true);
    expect(new Set(findings.map(({ check }) => check)).size).toBe(7);
  });

  it('names everything that is missing, each with its cure, and what it could not look at', async () => {
    const { exitCode, stdout } = await runCommand(['doctor', '--offline', '--json']);
    expect(exitCode).toBe(1);
    const { ok, findings } = JSON.parse(stdout) as Diagnosis;
    expect(ok).toBe(false);
    const errors = findings.filter(({ status }) => status === 'error');
    for (const name of [
      'WECHAT_APP_ID',
      'WECHAT_APP_SECRET',
      'WECHAT_PUBLIC_URL',
      'WECHAT_AUTH_KEYS',
      'DATABASE_URL',
    ]) {
      expect(errors.filter(({ message }) => message.includes(name))).toHaveLength(1);
    }
    expect(errors.every(({ cure }) => (cure ?? '').length > 10)).toBe(true);
    const notChecked = findings.filter(({ message }) => message.startsWith('Not checked'));
    expect(notChecked.map(({ check }) => check)).toEqual([
      'versions',
      'keys',
      'public-url',
      'database',
      'clock',
      'clock',
      'wechat',
    ]);
  });

  it('prints the cure below what it cures, and a count at the end', async () => {
    const { stdout } = await runCommand(['doctor', '--offline'], {
      env: { ...world.env, WECHAT_APP_ID: 'wx1' },
    });
    expect(stdout).toMatch(/\n {2}error {4}.*WECHAT_APP_ID.*\n( {11}\w.*\n)* {11}→ Set it to the AppID/);
    expect(stdout).toMatch(/\nNot fine: 1 error, \d warnings\.\n$/);
  });

  it('leaves WeChat alone if asked to', async () => {
    const before = world.wechat.requests.length;
    const diagnosis = await world.diagnose({}, ['--offline']);
    expect(complaints(diagnosis)).toEqual([
      "clock warning Not checked: this machine's clock against WeChat, since its time could not be read.",
      'wechat warning Not checked: WeChat, as --offline asks.',
    ]);
    expect(diagnosis.exitCode).toBe(0);
    expect(world.wechat.requests.length).toBe(before);
  });

  it('changes nothing in the database', async () => {
    const empty = await createTestDatabase();
    try {
      await world.diagnose({ DATABASE_URL: empty.url }, ['--offline']);
      const { rows } = await query(empty.url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'");
      expect(rows).toEqual([]);
    } finally {
      await empty.drop();
    }
  });
});

describe('doctor, about settings,', () => {
  it('says which file it has read', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'nestjs-wechat-auth-env-'));
    try {
      writeFileSync(
        join(cwd, '.env'),
        `WECHAT_AUTH_KEYS=${KEY}\nWECHAT_PUBLIC_URL=https://ignored.example.cn\n`,
      );
      const { findings } = await world.diagnose({ WECHAT_AUTH_KEYS: undefined }, ['--offline'], { cwd });
      const messages = findings.map(({ message }) => message);
      expect(messages).toContain(`Read ${join(cwd, '.env')}; what the environment has already wins.`);
      expect(messages).toContain('One key: k1 seals and opens.');
      expect(messages.join()).not.toContain('ignored.example.cn');
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });

  it('notices a secret that was not copied whole', async () => {
    expect(
      complaints(await world.diagnose({ WECHAT_APP_SECRET: 'a1b2c3d4e5f6a1b2' }, ['--offline']))[0],
    ).toBe("environment warning WECHAT_APP_SECRET has 16 characters; WeChat's have 32, of 0-9 and a-f.");
  });

  it('checks the rest where one setting is wrong', async () => {
    const { findings, exitCode } = await world.diagnose({ WECHAT_PUBLIC_URL: 'ftp://shop' });
    expect(exitCode).toBe(1);
    const fine = findings.filter(({ status }) => status === 'ok').map(({ check }) => check);
    for (const check of ['keys', 'database', 'wechat']) expect(fine).toContain(check);
  });

  it('counts keys, and notices those that nobody has drawn by lot', async () => {
    const typed = Buffer.from('correct horse battery staple 123').toString('base64');
    const { findings } = await world.diagnose({
      WECHAT_AUTH_KEYS: `${KEY},old:${Buffer.alloc(32, 7).toString('base64')},my:${typed}`,
    });
    const keys = findings.filter(({ check }) => check === 'keys');
    expect(keys.map(({ status, message }) => `${status} ${message}`)).toEqual([
      'ok 3 keys: k1 seals; it and old, my open.',
      'warning The key old does not look random; who guesses it can sign in as anybody.',
      'warning The key my does not look random; who guesses it can sign in as anybody.',
      'ok No stored token needs a key that is missing.',
    ]);
  });

  it('names a key that stored tokens need and the list lacks', async () => {
    const header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: 'k2024' })).toString(
      'base64url',
    );
    await query(
      world.database.url,
      `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
         access_token_expires_at, refresh_token_expires_at, created_at, refresh_failures, consent_popup_wanted)
       VALUES ('wx0', 'o0', 1, 'base', 'alive', 'unable', '${header}..iv.text.tag', '2026-01-01', '2026-01-01', '2026-01-01', 0, false)`,
    );
    try {
      const diagnosis = await world.diagnose({}, ['--offline']);
      expect(diagnosis.exitCode).toBe(1);
      expect(complaints(diagnosis)[0]).toMatch(/^keys error .*k2024/);
    } finally {
      await query(world.database.url, 'DELETE FROM wechat_grant');
    }
  });
});

describe('doctor, about the database,', () => {
  it('goes on with the rest where it cannot be reached', async () => {
    const diagnosis = await world.diagnose({
      DATABASE_URL: 'postgres://shop:hunter2hunter2@127.0.0.1:1/shop',
    });
    expect(diagnosis.exitCode).toBe(1);
    expect(complaints(diagnosis)).toEqual([
      'keys warning Not checked: whether stored tokens need another key, since the database could not be asked.',
      'database error Nobody answers for the database shop at 127.0.0.1:1: the connection was refused.',
      'database warning Not checked: the rest of the database, for that reason.',
      "clock warning Not checked: this machine's clock against the database, since its time could not be read.",
    ]);
    expect(diagnosis.findings.some(({ message }) => message.includes('knows the app id'))).toBe(true);
  });

  it('names missing tables with the migrations that make them', async () => {
    const empty = await createTestDatabase();
    try {
      const diagnosis = await world.diagnose({ DATABASE_URL: empty.url });
      const finding = diagnosis.findings.find(
        ({ check, status }) => check === 'database' && status === 'error',
      );
      expect(finding?.message).toContain('lacks the table wechat_grant');
      expect(finding?.message).toContain('Yet to run: CreateWechatAuthTables1764000000000');
      expect(finding?.cure).toContain('npx nestjs-wechat-auth migrate');
      expect(diagnosis.exitCode).toBe(1);
    } finally {
      await empty.drop();
    }
  });

  it('names the rights that its role lacks, with the statement that grants them', async () => {
    const role = `limited_${randomBytes(6).toString('hex')}`;
    const paths = TABLES.map((name) => `public.${name}`);
    await query(world.database.url, `CREATE ROLE ${role}`);
    try {
      const url = new URL(world.database.url);
      url.searchParams.set('options', `-c role=${role}`);
      const { findings } = await world.diagnose({ DATABASE_URL: url.href });
      expect(findings).toContainEqual({
        check: 'database',
        status: 'error',
        message: `The database role ${role} lacks SELECT, INSERT, UPDATE and DELETE on ${listed(paths)}.`,
        cure: `As the owner of the tables run: GRANT SELECT, INSERT, UPDATE, DELETE ON ${paths.join(', ')} TO ${role};`,
      });
    } finally {
      await query(world.database.url, `DROP ROLE ${role}`);
    }
  });

  it('looks into the schema and the table of migrations that it is told', async () => {
    const other = await createTestDatabase();
    try {
      await query(other.url, 'CREATE SCHEMA "Shop"');
      const args = ['--schema', 'Shop', '--migrations-table', 'done'];
      await runCommand(['migrate', ...args], { env: { DATABASE_URL: other.url } });
      expect(complaints(await world.diagnose({ DATABASE_URL: other.url }, args))).toEqual([]);
      // In the wrong table nothing is noted; the tables are there all the same.
      const [finding] = complaints(await world.diagnose({ DATABASE_URL: other.url }, ['--schema', 'Shop']));
      expect(finding).toMatch(
        /^database warning The table "migrations" does not say that they come from migrations/,
      );
    } finally {
      await other.drop();
    }
  });
});

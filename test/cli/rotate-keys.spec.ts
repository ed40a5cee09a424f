import type { ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { openidForLogs } from '../../src/common/digest.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { authorization, K1, K2, keysVariable, openids, SealedGrants } from '../grants/sealed-grants.js';
import { type CommandRun, runCommand, spawnCommand } from './command.runner.js';

// A process of its own loads everything anew.
jest.setTimeout(60_000);

const KEYS = keysVariable(K2, K1);
/** Of the lock by which a test holds a statement up. */
const LOCK = 5;

let database: TestDatabase;
let grants: SealedGrants;
let admin: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  grants = await SealedGrants.create(database.url);
  admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
});
afterEach(async () => {
  await admin.end();
  await grants.close();
  await database.drop();
});

function rotate(args: string[] = [], keys = KEYS): Promise<CommandRun> {
  return runCommand(['rotate-keys', ...args], {
    env: { DATABASE_URL: database.url, WECHAT_AUTH_KEYS: keys },
  });
}

/** In a process of its own. */
function spawnRotate(args: string[], onStart?: (command: ChildProcess) => void): Promise<CommandRun> {
  return spawnCommand(['rotate-keys', ...args], {
    env: { DATABASE_URL: database.url, WECHAT_AUTH_KEYS: KEYS },
    ...(onStart && { onStart }),
  });
}

interface Report {
  ok: boolean;
  dryRun: boolean;
  schema: string;
  resealed: { tokens: number; userinfo: number };
  keys: { kid: string; role: string; tokens: number; userinfo: number; mayBeRetired: boolean }[];
  problems: { problem: string; cure: string }[];
}

async function report(args: string[] = [], keys = KEYS): Promise<Report & { exitCode: number | null }> {
  const { exitCode, stdout } = await rotate(['--json', ...args], keys);
  return { exitCode, ...(JSON.parse(stdout) as Report) };
}

const words = (text: string): string => text.replace(/\s+/g, ' ');

describe('rotate-keys', () => {
  it('re-seals everything with the first key, and says which key may go', async () => {
    await grants.grant(K1, openids(4));
    await grants.grant(K2, ['o1']);
    const opened = await grants.opened(K2, K1);
    const run = await spawnRotate([]);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    const { pathname, host } = new URL(database.url);
    expect(run.stdout.split('\n').slice(0, 6)).toEqual([
      `In the database ${pathname.slice(1)} at ${host}, schema public:`,
      '  re-sealed with k2: the tokens of 4 users, 2 profiles.',
      '',
      '  key     tokens   profiles',
      '  k2           5          3  seals',
      '  k1           0          0  opens',
    ]);
    expect(words(run.stdout)).toContain(
      'No stored text needs k1. Take it out of WECHAT_AUTH_KEYS once k2 has come first there on every instance for 15 minutes',
    );
    expect(await grants.opened(K2)).toEqual(opened);
  });

  it('finds nothing to do the next time, and with one key', async () => {
    await grants.grant(K1, openids(2));
    await rotate();
    const again = await rotate();
    expect(again).toMatchObject({ exitCode: 0, stderr: '' });
    expect(again.stdout).toContain('Nothing to do: everything is sealed with k2.\n');
    const alone = await rotate([], keysVariable(K2));
    expect(alone).toMatchObject({ exitCode: 0, stderr: '' });
    expect(alone.stdout).toContain(
      'Nothing to do: everything is sealed with k2, the only key in WECHAT_AUTH_KEYS.\n',
    );
    expect(alone.stdout).not.toContain('Take it out');
  });

  it('works on a table without rows', async () => {
    expect(await rotate()).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('only counts with --dry-run, and says what is to stay', async () => {
    await grants.grant(K1, openids(3));
    const run = await rotate(['--dry-run']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toContain('would re-seal with k2: the tokens of 3 users, 2 profiles.');
    expect(run.stdout).toContain('\n  k1           3          2  opens\n');
    expect(words(run.stdout)).toContain(
      'Keep k1 in WECHAT_AUTH_KEYS: stored texts need it, until they are re-sealed.',
    );
    expect(await grants.sealedWith(K1)).toEqual({ tokens: 3, userinfo: 2 });
  });

  it('prints one JSON document with the same', async () => {
    await grants.grant(K1, openids(3));
    expect(await report()).toEqual({
      exitCode: 0,
      ok: true,
      dryRun: false,
      schema: 'public',
      resealed: { tokens: 3, userinfo: 2 },
      keys: [
        { kid: 'k2', role: 'seals', tokens: 3, userinfo: 2, mayBeRetired: false },
        { kid: 'k1', role: 'opens', tokens: 0, userinfo: 0, mayBeRetired: true },
      ],
      problems: [],
    });
  });

  it('tells how far it is, with many rows', async () => {
    await grants.multiply(K1, openids(12_000));
    const { exitCode, stdout, stderr } = await rotate();
    expect(exitCode).toBe(0);
    expect(stderr.split('\n').slice(1)).toEqual([
      '10000 rows looked at, 20000 texts re-sealed',
      'looking again: 10000 rows looked at, 24000 texts re-sealed',
      '',
    ]);
    expect(stdout).toContain('the tokens of 12000 users, 12000 profiles.');
    expect(await grants.sealedWith(K2)).toEqual({ tokens: 12_000, userinfo: 12_000 });
  });

  it('warns where no instance seals with the new key yet', async () => {
    await grants.grant(K1, openids(1));
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(0);
    expect(stderr).toContain('warning: No tokens are sealed with k2 yet');
    expect(stderr).toContain('cannot open what is re-sealed now');
    expect((await rotate([], KEYS)).stderr).toBe('');
  });

  it('finds the tables where --schema says', async () => {
    await grants.grant(K1, openids(2));
    await admin.query('CREATE SCHEMA "Shop"');
    for (const { name } of (
      await admin.query<{ name: string }>(
        `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
      )
    ).rows) {
      await admin.query(`ALTER TABLE "${name}" SET SCHEMA "Shop"`);
    }
    const { exitCode, schema, resealed } = await report(['--schema', 'Shop']);
    expect({ exitCode, schema, tokens: resealed.tokens }).toEqual({ exitCode: 0, schema: 'Shop', tokens: 2 });
  });
});

describe('rotate-keys, ended half way,', () => {
  it('has done what it said, and does the rest when it is run again', async () => {
    const all = openids(3_000);
    await grants.multiply(K1, all);
    const opened = await grants.opened(K1);
    await holdUp('o01501');
    let command: ChildProcess | undefined;
    const killed = spawnRotate(['--batch-size', '100'], (started) => (command = started));
    await heldUp(1);
    // Fifteen batches are done, and the sixteenth is under way.
    expect(await grants.sealedWith(K2)).toEqual({ tokens: 1_500, userinfo: 1_500 });
    command?.kill('SIGKILL');
    expect(await killed).toMatchObject({ exitCode: null, stdout: '' });
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'nestjs-wechat-auth'`,
    );
    await letGo();
    expect(await grants.sealedWith(K1)).toEqual({ tokens: 1_500, userinfo: 1_500 });
    const again = await report(['--batch-size', '100']);
    expect(again).toMatchObject({ exitCode: 0, resealed: { tokens: 1_500, userinfo: 1_500 } });
    expect(await grants.opened(K2)).toEqual(opened);
  });

  it('says so where the database ends it, and that what is done stays', async () => {
    await grants.multiply(K1, openids(100));
    await holdUp('o00051');
    const run = spawnRotate(['--batch-size', '10']);
    await heldUp(1);
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'nestjs-wechat-auth'`,
    );
    const { exitCode, stdout, stderr } = await run;
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('What has been re-sealed stays so; run rotate-keys again for the rest.');
    await letGo();
    expect(await grants.sealedWith(K2)).toEqual({ tokens: 50, userinfo: 50 });
  });
});

describe('rotate-keys, run twice at once,', () => {
  it('does everything once, and both end well', async () => {
    await grants.multiply(K1, openids(2_000));
    const opened = await grants.opened(K1);
    await holdUp('o00001');
    const both = [spawnRotate(['--json', '--batch-size', '150']), spawnRotate(['--json'])];
    // One writes its first batch; the other waits for the rows of that.
    await heldUp(2);
    await letGo();
    const runs = await Promise.all(both);
    const reports = runs.map(({ stdout }) => JSON.parse(stdout) as Report);
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    const sum = (purpose: 'tokens' | 'userinfo'): number =>
      reports.reduce((total, { resealed }) => total + resealed[purpose], 0);
    expect([sum('tokens'), sum('userinfo')]).toEqual([2_000, 2_000]);
    expect(await grants.opened(K2)).toEqual(opened);
  });
});

describe('rotate-keys, while the service writes,', () => {
  it('leaves newer tokens alone, whichever key they are sealed with', async () => {
    const all = openids(300);
    await grants.multiply(K1, all);
    await holdUp('o00151');
    const run = spawnRotate(['--json', '--batch-size', '100']);
    await heldUp(1);
    // In a batch that is done, and in one that is to come; the instance has not been promoted.
    const old = grants.with(K1, K2);
    for (const openid of ['o00001', 'o00299']) await old.saveAuthorization(authorization(openid, 1));
    await letGo();
    const { exitCode, stdout } = await run;
    expect(exitCode).toBe(0);
    // One of them twice.
    expect((JSON.parse(stdout) as Report).resealed).toEqual({ tokens: 301, userinfo: 300 });
    const opened = await grants.opened(K2);
    expect(['o00001', 'o00299', 'o00151'].map((openid) => opened[openid]?.[0])).toEqual([
      'ACCESS-o00001-1',
      'ACCESS-o00299-1',
      'ACCESS-o00151-0',
    ]);
  });
});

describe('rotate-keys, where something does not open,', () => {
  const K0 = { kid: 'k0', secret: Buffer.alloc(32, 9) };

  it('names the key that is missing and what to do, and does the rest', async () => {
    await grants.grant(K1, openids(3));
    await grants.grant(K0, ['o0']);
    const { exitCode, ok, resealed, keys, problems } = await report();
    expect({ exitCode, ok, resealed }).toEqual({
      exitCode: 1,
      ok: false,
      resealed: { tokens: 3, userinfo: 2 },
    });
    expect(keys.map(({ kid, role, tokens, mayBeRetired }) => [kid, role, tokens, mayBeRetired])).toEqual([
      ['k2', 'seals', 3, false],
      ['k1', 'opens', 0, true],
      ['k0', 'missing', 1, false],
    ]);
    expect(problems.map(({ problem }) => problem)).toEqual([
      'WECHAT_AUTH_KEYS lacks the key k0, by which the tokens of 1 user are sealed. They were left as they are.',
      'WECHAT_AUTH_KEYS lacks the key k0, by which the profile of 1 user is sealed. They were left as they are.',
    ]);
    const [forTokens = '', forProfiles = ''] = problems.map(({ cure }) => cure);
    await admin.query(forProfiles.slice(forProfiles.indexOf('UPDATE')));
    expect((await report()).problems).toHaveLength(1);
    await admin.query(forTokens.slice(forTokens.indexOf('DELETE')));
    expect(await report()).toMatchObject({ exitCode: 0, problems: [] });
    expect(Object.keys(await grants.opened(K2))).toEqual(openids(3));
  });

  it('is content once the key is put back', async () => {
    await grants.grant(K0, ['o0']);
    expect(await report()).toMatchObject({ exitCode: 1 });
    expect(await report([], keysVariable(K2, K1, K0))).toMatchObject({
      exitCode: 0,
      resealed: { tokens: 1, userinfo: 1 },
    });
  });

  it('leaves rows that were tampered with, names them by a digest, and keeps their key', async () => {
    await grants.grant(K1, openids(8));
    await grants.grant(K2, ['o9']);
    await admin.query(`UPDATE wechat_grant SET sealed_tokens = sealed_tokens || 'A' WHERE openid = 'o00002'`);
    await admin.query(
      `UPDATE wechat_grant SET sealed_user_info = sealed_user_info || 'A' WHERE openid = 'o00003'`,
    );
    const { exitCode, stdout } = await rotate();
    expect(exitCode).toBe(1);
    const text = words(stdout);
    expect(text).toContain(
      `error: Not to be opened, since damaged or tampered with: the tokens of 1 user (${openidForLogs('o00002')}).`,
    );
    expect(text).toContain(`the profile of 1 user (${openidForLogs('o00003')}).`);
    expect(text).toContain('Keep k1 in WECHAT_AUTH_KEYS: stored texts need it.');
    expect(text).not.toMatch(/o0000\d/);
    for (const { cure } of (await report()).problems) {
      await admin.query(cure.slice(cure.search(/DELETE|UPDATE/)));
    }
    expect(await report()).toMatchObject({ exitCode: 0, keys: [{ kid: 'k2', tokens: 8, userinfo: 4 }, {}] });
  });

  it('changes nothing where the first key is not the one that the service has by this name', async () => {
    await grants.grant(K1, openids(2));
    await grants.grant(K2, ['o9']);
    const other = { kid: 'k2', secret: Buffer.alloc(32, 9) };
    const { exitCode, stdout, stderr } = await rotate([], keysVariable(other, K1));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('the key k2 is not the k2 by which tokens in wechat_grant are sealed.');
    expect(await grants.sealedWith(K1)).toEqual({ tokens: 2, userinfo: 1 });
  });

  it('says so where an old key is not the one that the service had by this name', async () => {
    await grants.grant(K1, openids(12));
    const { exitCode, resealed, keys, problems } = await report(
      [],
      keysVariable(K2, { kid: 'k1', secret: Buffer.alloc(32, 9) }),
    );
    expect({ exitCode, resealed }).toEqual({ exitCode: 1, resealed: { tokens: 0, userinfo: 0 } });
    expect(keys[1]).toMatchObject({ kid: 'k1', tokens: 12, userinfo: 6, mayBeRetired: false });
    for (const { cure } of problems) {
      expect(cure).toContain('see whether k1 in WECHAT_AUTH_KEYS is the key by which they were sealed');
    }
  });

  it('says where an instance still seals with the old key', async () => {
    await grants.grant(K1, openids(2));
    await grants.grant(K2, ['o9']);
    // As such an instance would, again and again.
    await admin.query(`
      CREATE FUNCTION seal_again() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NEW.sealed_tokens := OLD.sealed_tokens; RETURN NEW; END $$;
      CREATE TRIGGER seal_again BEFORE UPDATE ON wechat_grant FOR EACH ROW
        WHEN (NEW.openid = 'o00002') EXECUTE FUNCTION seal_again();`);
    const { exitCode, problems, keys } = await report();
    expect(exitCode).toBe(1);
    expect(problems).toEqual([
      {
        problem: expect.stringContaining('an instance still seals with k1'),
        cure: 'Put k2 first in WECHAT_AUTH_KEYS on every instance, then run rotate-keys again.',
      },
    ]);
    expect(keys[1]).toMatchObject({ kid: 'k1', tokens: 1, userinfo: 0, mayBeRetired: false });
  });
});

describe('rotate-keys, before it begins,', () => {
  it.each<[string, string, string]>([
    ['no keys', '', 'WECHAT_AUTH_KEYS) is missing'],
    ['a key that is too short', 'k1:AAAA', 'entry 1 is base64 of 3 bytes'],
    ['two keys of one name', keysVariable(K1, K1), 'two entries with the kid k1'],
  ])('refuses %s, with the cure', async (_, keys, problem) => {
    const { exitCode, stdout, stderr } = await rotate([], keys);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(problem);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
  });

  it('sends to the migrations where the tables are not there', async () => {
    await admin.query('DROP TABLE wechat_grant');
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('wechat_grant');
    expect(stderr).toContain('migrat');
  });
});

/** Lets the row of this user be written only once {@link letGo} is called. */
async function holdUp(openid: string): Promise<void> {
  await admin.query(`
    CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock_shared(${LOCK}); RETURN NEW; END $$;
    CREATE TRIGGER hold_up BEFORE UPDATE ON wechat_grant FOR EACH ROW
      WHEN (NEW.openid = '${openid}') EXECUTE FUNCTION hold_up();
    SELECT pg_advisory_lock(${LOCK});`);
}

/** Until so many commands wait for a lock. */
async function heldUp(commands: number): Promise<void> {
  for (;;) {
    const { rows } = await admin.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'nestjs-wechat-auth' AND wait_event_type = 'Lock'`,
    );
    if (rows[0]?.waiting === commands) return;
  }
}

async function letGo(): Promise<void> {
  await admin.query(`SELECT pg_advisory_unlock(${LOCK})`);
}

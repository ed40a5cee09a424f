import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres, type Postgres, type PostgresOptions } from '../../scripts/embedded-postgres.mjs';

describe('startPostgres', () => {
  let folder: string;
  // Made by the first test that starts a server on it, then used by the others: making one takes a second.
  let dataDirectory: string;
  const running: Postgres[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'embedded-postgres-spec-'));
    dataDirectory = join(folder, 'data');
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(options: PostgresOptions = { dataDirectory }): Promise<Postgres> {
    const server = await startPostgres(options);
    running.push(server);
    return server;
  }

  async function query(url: string, sql: string): Promise<Record<string, unknown> | undefined> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows[0];
    } finally {
      await client.end();
    }
  }

  it('removes a throw-away server with all its data', async () => {
    const server = await startPostgres();
    const row = await query(server.url, `SELECT current_setting('data_directory') AS folder`);
    expect(existsSync(String(row?.folder))).toBe(true);

    await server.stop();

    expect(existsSync(String(row?.folder))).toBe(false);
    await expect(query(server.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('lets nobody in without the password', async () => {
    const url = new URL((await start()).url);
    url.password = 'guessed';

    await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('keeps the data from one start to the next, safe from a power cut', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();

    const second = await start();

    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
    expect(await query(second.url, 'SHOW fsync')).toEqual({ fsync: 'on' });
    expect(await query(second.url, 'SHOW synchronous_commit')).toEqual({ synchronous_commit: 'on' });
  });

  it('refuses a folder on which a server runs already, and leaves that server alone', async () => {
    const first = await start();

    await expect(start()).rejects.toThrow(/in use by a PostgreSQL server .* choose another data folder/);

    expect(await query(first.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
  });

  it('refuses a folder that holds something else', async () => {
    const taken = join(folder, 'taken');
    mkdirSync(taken);
    writeFileSync(join(taken, 'diary.txt'), 'private');

    await expect(start({ dataDirectory: taken })).rejects.toThrow(/not empty .* choose another folder/);

    expect(readdirSync(taken)).toEqual(['diary.txt']);
  });

  it('begins anew where a first start was interrupted', async () => {
    const interrupted = join(folder, 'interrupted');
    mkdirSync(join(interrupted, 'new-999999999', 'cluster'), { recursive: true });
    writeFileSync(join(interrupted, 'new-999999999', 'cluster', 'PG_VERSION'), '18');

    await start({ dataDirectory: interrupted });

    expect(readdirSync(interrupted)).toEqual(['cluster']);
  });

  it('ends with the process that started it, even if that is killed, and starts again at once', async () => {
    const launcher = pathToFileURL(join(process.cwd(), 'scripts', 'embedded-postgres.mjs')).href;
    const program = `
      import { startPostgres } from ${JSON.stringify(launcher)};
      const { url } = await startPostgres({ dataDirectory: ${JSON.stringify(dataDirectory)} });
      process.stdout.write(url);
      setInterval(() => {}, 1000);
    `;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [url] = (await once(owner.stdout.setEncoding('utf8'), 'data')) as [string];
    await query(url, 'CREATE TABLE survived AS SELECT 42 AS answer');

    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const next = await start();

    expect(await query(next.url, 'SELECT answer FROM survived')).toEqual({ answer: 42 });
    expect(next.url).not.toBe(url);
    await expect(query(url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('is not misled by a note of a killed server whose process number something else has now', async () => {
    const first = await start();
    const note = join(dataDirectory, 'cluster', 'postmaster.pid');
    const lines = readFileSync(note, 'utf8').split('\n');
    await first.stop();
    writeFileSync(note, [String(process.pid), ...lines.slice(1)].join('\n'));

    const second = await start();

    expect(await query(second.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
  });

  it('says so when the port is taken', async () => {
    const first = await start();
    const port = Number(new URL(first.url).port);

    await expect(start({ dataDirectory: join(folder, 'other'), port })).rejects.toThrow(
      `Port ${String(port)} on 127.0.0.1 is in use`,
    );
  });

  it('may be stopped twice', async () => {
    const server = await start();
    await server.stop();
    await expect(server.stop()).resolves.toBeUndefined();
  });
});

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { startPostgres } from '../scripts/embedded-postgres.mjs';

/**
 * Gives an empty database of its own, on the server that DATABASE_URL names or on one that is started for this, and
 * removes it afterwards.
 */
export async function withDatabase<T>(work: (url: string) => Promise<T>): Promise<T> {
  const serverUrl = process.env.DATABASE_URL;
  if (serverUrl) return onServer(serverUrl, work);
  const launcher = await loadLauncher();
  const server = await launcher.startPostgres();
  try {
    return await onServer(server.url, work);
  } finally {
    await server.stop();
  }
}

async function onServer<T>(serverUrl: string, work: (url: string) => Promise<T>): Promise<T> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  await execute(serverUrl, `CREATE DATABASE "${name}" TEMPLATE template0 ENCODING 'UTF8'`);
  try {
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return await work(url.href);
  } finally {
    await execute(serverUrl, `DROP DATABASE "${name}" WITH (FORCE)`);
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The launcher is a plain script that is not compiled with the benches, so its place is told from theirs. */
function loadLauncher(): Promise<{ startPostgres: typeof startPostgres }> {
  const launcher = new URL('../../../scripts/embedded-postgres.mjs', import.meta.url);
  return import(launcher.href) as Promise<{ startPostgres: typeof startPostgres }>;
}

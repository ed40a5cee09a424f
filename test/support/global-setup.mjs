import { startPostgres } from '../../scripts/embedded-postgres.mjs';

/** One PostgreSQL server per test run, unless DATABASE_URL already names one. */
export default async function setup() {
  if (process.env.DATABASE_URL) return;
  const server = await startPostgres();
  process.env.DATABASE_URL = server.url; // the workers inherit it
  globalThis.__startedPostgres = server;
}

import { randomBytes } from 'node:crypto';
import pg from 'pg';

export interface TestDatabase {
  /** A connection string for this database alone. */
  readonly url: string;
  /** Removes the database, ending connections that are still open. */
  drop(): Promise<void>;
}

/**
 * An empty database of its own for the calling test file, on the server that the run started
 * (or the one that DATABASE_URL names). Create it in `beforeAll`, drop it in `afterAll`.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env.DATABASE_URL;
  if (!serverUrl) {
    throw new Error('DATABASE_URL is not set. Run the tests with `npm test`, which starts a server.');
  }
  const name = `test_${String(process.pid)}_${randomBytes(6).toString('hex')}`;
  // template0: template1 cannot be copied while somebody is connected to it.
  await execute(serverUrl, `CREATE DATABASE "${name}" TEMPLATE template0 ENCODING 'UTF8'`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => execute(serverUrl, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`),
  };
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

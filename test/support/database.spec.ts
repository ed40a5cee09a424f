import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from './database.js';

describe('createTestDatabase', () => {
  let first: TestDatabase;
  let second: TestDatabase;

  beforeEach(async () => {
    [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  });

  afterEach(async () => {
    await Promise.all([first.drop(), second.drop()]);
  });

  async function query(url: string, sql: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  it('gives each caller a database of its own', async () => {
    await query(first.url, 'CREATE TABLE only_here (id int)');

    expect(await query(first.url, `SELECT to_regclass('only_here')::text AS name`)).toEqual([
      { name: 'only_here' },
    ]);
    expect(await query(second.url, `SELECT to_regclass('only_here')::text AS name`)).toEqual([
      { name: null },
    ]);
  });

  it('stores Unicode text', async () => {
    expect(await query(first.url, `SELECT '微信🙂' AS text, getdatabaseencoding() AS encoding`)).toEqual([
      { text: '微信🙂', encoding: 'UTF8' },
    ]);
  });

  it('drops a database that somebody is still connected to', async () => {
    const lingering = new pg.Client({ connectionString: first.url });
    const ended = new Promise((resolve) => lingering.on('error', resolve));
    await lingering.connect();

    await first.drop();

    await ended;
    await expect(query(first.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
    expect(await query(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('may be dropped twice', async () => {
    await first.drop();
    await expect(first.drop()).resolves.toBeUndefined();
  });
});

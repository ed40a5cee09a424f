import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { happenings, happeningsOfPair } from './grant-life/grant.commands.js';
import { GrantModel } from './grant-life/grant.model.js';
import { StoredGrant } from './grant-life/stored.grant.js';

jest.setTimeout(120_000);

/** The same on every machine; a failure prints it with the path to the smallest story that fails. */
const SEED = 20_260_301;
const STORIES = 100;

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource({
    type: 'postgres',
    url: database.url,
    entities: [...wechatAuthEntities],
    migrations: [...wechatAuthMigrations],
  }).initialize();
  await dataSource.runMigrations();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

it.each([
  ['a grant', happenings],
  ['a pair that is being refreshed', happeningsOfPair],
])('%s is what the rules say, whatever happens, in whatever order', async (_, what) => {
  const stories = fc.commands(what(), { maxCommands: 60, size: '+1' });
  let steps = 0;
  const property = fc.asyncProperty(stories, async (story) => {
    const real = new StoredGrant(dataSource);
    await fc.asyncModelRun(() => ({ model: new GrantModel(), real }), story);
    steps += real.readings.length;
  });
  await fc.assert(property, { seed: SEED, numRuns: STORIES });
  // A story that is over before anybody signs in proves nothing.
  expect(steps).toBeGreaterThan(10 * STORIES);
});

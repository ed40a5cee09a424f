import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { sha256 } from '../../src/common/digest.js';
import { type SignInClaim, SignInRepository } from '../../src/grants/sign-in.repository.js';
import type { WechatSignIn } from '../../src/grants/wechat-sign-in.entity.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const START = new Date('2026-03-01T08:00:00.123Z');
const LEASE_MS = 30_000;

let database: TestDatabase;
/** Two processes, each with connections of its own. */
let dataSources: DataSource[];
let instances: SignInRepository[];
let signIns: SignInRepository;

beforeAll(async () => {
  database = await createTestDatabase();
  const connect = (): Promise<DataSource> =>
    new DataSource({
      type: 'postgres',
      url: database.url,
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
    }).initialize();
  dataSources = [await connect(), await connect()];
  await dataSources[0]!.runMigrations();
  instances = dataSources.map((dataSource) => new SignInRepository(dataSource));
  signIns = instances[0]!;
});
beforeEach(() => dataSources[0]!.query('TRUNCATE wechat_sign_in'));
afterAll(async () => {
  for (const dataSource of dataSources) await dataSource.destroy();
  await database.drop();
});

function after(ms: number): Date {
  return new Date(START.getTime() + ms);
}

function claim(state: string, code: string, changes: Partial<SignInClaim> = {}): SignInClaim {
  return {
    id: randomUUID(),
    stateDigest: sha256(state),
    codeDigest: sha256(code),
    browserDigest: sha256('browser'),
    appId: 'wx0123456789abcdef',
    scope: 'base',
    leaseExpiresAt: after(LEASE_MS),
    expiresAt: after(15 * 60_000),
    ...changes,
  };
}

function outcome(afterMs: number, sealedOutcome = 'sealed'): Parameters<SignInRepository['complete']>[1] {
  return { openid: 'oUser', sealedOutcome, completedAt: after(afterMs), expiresAt: after(afterMs + 900_000) };
}

async function byState(state: string): Promise<WechatSignIn> {
  const row = await signIns.findByState(sha256(state));
  if (!row) throw new Error('There is no such sign-in.');
  return row;
}

async function countRows(): Promise<number> {
  const [row] = await dataSources[0]!.query<[{ count: number }]>(
    'SELECT count(*)::int AS count FROM wechat_sign_in',
  );
  return row.count;
}

/** Many at once, on both instances in turn. */
async function claimAll(claims: readonly SignInClaim[]): Promise<SignInClaim[]> {
  const results = await Promise.all(claims.map((each, index) => instances[index % 2]!.claim(each)));
  return claims.filter((_, index) => results[index]);
}

describe('of many callbacks at once', () => {
  const numbers = Array.from({ length: 40 }, (_, index) => index);

  it('one wins, where all have one state and one code', async () => {
    const winners = await claimAll(numbers.map(() => claim('state', 'code')));
    expect(winners).toHaveLength(1);
    expect(await countRows()).toBe(1);
    expect((await byState('state')).id).toBe(winners[0]?.id);
  });

  it('one wins, where one state comes with many codes', async () => {
    const winners = await claimAll(numbers.map((number) => claim('state', `code-${number}`)));
    expect(winners).toHaveLength(1);
    expect((await byState('state')).codeDigest).toEqual(winners[0]?.codeDigest);
  });

  it('one wins, where one code comes with many states', async () => {
    const winners = await claimAll(numbers.map((number) => claim(`state-${number}`, 'code')));
    expect(winners).toHaveLength(1);
    expect(await countRows()).toBe(1);
  });

  it('all win, where each has a state and a code of its own', async () => {
    const claims = numbers.map((number) => claim(`state-${number}`, `code-${number}`));
    expect(await claimAll(claims)).toEqual(claims);
  });
});

describe('a claim', () => {
  it('keeps what it was made with, and has no outcome yet', async () => {
    const made = claim('state', 'code', { scope: 'userinfo' });
    expect(await signIns.claim(made)).toBe(true);
    expect(await byState('state')).toEqual({ ...made, openid: null, sealedOutcome: null, completedAt: null });
  });

  it.each([
    ['while it is worked on', async (): Promise<unknown> => undefined],
    ['after it was given up', (id: string): Promise<unknown> => signIns.release(id, after(1))],
    ['after it was completed', (id: string): Promise<unknown> => signIns.complete(id, outcome(1))],
  ])('keeps its state and its code from being used again, %s', async (_, then) => {
    const made = claim('state', 'code');
    await signIns.claim(made);
    await then(made.id);
    const later = { leaseExpiresAt: after(10 * LEASE_MS) };
    expect(await signIns.claim(claim('state', 'other code', later))).toBe(false);
    expect(await signIns.claim(claim('other state', 'code', later))).toBe(false);
    expect(await signIns.claim(claim('other state', 'other code', later))).toBe(true);
    expect((await byState('state')).id).toBe(made.id);
  });

  it('is found by its state alone', async () => {
    await signIns.claim(claim('state', 'code'));
    expect(await signIns.findByState(sha256('other state'))).toBeNull();
    expect(await signIns.findByState(sha256('code'))).toBeNull();
  });
});

describe('the lease of a claim', () => {
  let id: string;

  beforeEach(async () => {
    const made = claim('state', 'code');
    id = made.id;
    await signIns.claim(made);
    await signIns.claim(claim('other state', 'other code'));
  });

  it.each([
    ['at once', 0, true],
    ['in its last moment', LEASE_MS - 1, true],
    ['in the moment it ends', LEASE_MS, false],
    ['after its end', LEASE_MS + 1, false],
  ])('can be renewed and completed while it runs: %s', async (_, afterMs, runs) => {
    const before = await byState('state');
    expect(await signIns.renewLease(id, after(afterMs), after(2 * LEASE_MS))).toBe(runs);
    expect((await byState('state')).leaseExpiresAt).toEqual(after(runs ? 2 * LEASE_MS : LEASE_MS));
    await dataSources[0]!.query('UPDATE wechat_sign_in SET lease_expires_at = $1', [after(LEASE_MS)]);
    expect(await signIns.complete(id, outcome(afterMs))).toBe(runs);
    expect(await byState('state')).toEqual(runs ? Object.assign(before, outcome(afterMs)) : before);
  });

  it('runs on once it is renewed', async () => {
    await signIns.renewLease(id, after(LEASE_MS - 1), after(2 * LEASE_MS));
    expect(await signIns.complete(id, outcome(2 * LEASE_MS - 1))).toBe(true);
  });

  it('is over once it is given up: neither renewed nor completed any more', async () => {
    await signIns.release(id, after(5));
    expect((await byState('state')).leaseExpiresAt).toEqual(after(5));
    expect(await signIns.renewLease(id, after(5), after(2 * LEASE_MS))).toBe(false);
    expect(await signIns.complete(id, outcome(5))).toBe(false);
    expect(await byState('state')).toMatchObject({ sealedOutcome: null, completedAt: null });
  });

  it('that has run out is not moved by giving it up', async () => {
    await signIns.release(id, after(LEASE_MS + 1));
    expect((await byState('state')).leaseExpiresAt).toEqual(after(LEASE_MS));
  });

  it('is nobody else’s: other claims are untouched', async () => {
    const other = await byState('other state');
    await signIns.renewLease(id, after(1), after(2 * LEASE_MS));
    await signIns.complete(id, outcome(2));
    await signIns.release(id, after(3));
    expect(await byState('other state')).toEqual(other);
  });

  it('cannot be renewed where there is no such claim', async () => {
    expect(await signIns.renewLease(randomUUID(), after(1), after(LEASE_MS))).toBe(false);
    expect(await signIns.complete(randomUUID(), outcome(1))).toBe(false);
  });
});

describe('a remembered code', () => {
  const remember = (code: string): Promise<void> =>
    signIns.rememberCode({
      id: randomUUID(),
      codeDigest: sha256(code),
      appId: 'wx0123456789abcdef',
      expiresAt: after(900_000),
    });

  it('is never exchanged, and no other code is held back', async () => {
    await remember('code');
    expect(await claimAll([claim('state', 'code'), claim('other state', 'code')])).toEqual([]);
    expect(await signIns.claim(claim('state', 'other code'))).toBe(true);
  });

  it('may be remembered again and again, and with many others', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => remember(`code-${index % 4}`)));
    expect(await countRows()).toBe(4);
  });

  it('that was claimed before leaves the claim as it is', async () => {
    const made = claim('state', 'code');
    await signIns.claim(made);
    const before = await byState('state');
    await remember('code');
    expect(await byState('state')).toEqual(before);
    expect(await signIns.complete(made.id, outcome(1))).toBe(true);
  });
});

describe('how often a browser has completed a sign-in', () => {
  const count = (since: Date): Promise<number> =>
    signIns.countCompleted(sha256('browser'), 'wx0123456789abcdef', 'base', since);

  async function completed(
    number: number,
    afterMs: number,
    changes: Partial<SignInClaim> = {},
  ): Promise<void> {
    const made = claim(`state-${number}`, `code-${number}`, { leaseExpiresAt: after(900_000), ...changes });
    await signIns.claim(made);
    await signIns.complete(made.id, outcome(afterMs));
  }

  it('counts those that are completed', async () => {
    expect(await count(START)).toBe(0);
    await completed(1, 1_000);
    await completed(2, 2_000);
    await signIns.claim(claim('unfinished', 'unfinished'));
    expect(await count(START)).toBe(2);
  });

  it('counts those since an instant', async () => {
    for (const number of [1, 2, 3]) await completed(number, number * 1_000);
    expect(await count(after(999))).toBe(3);
    expect(await count(after(1_000))).toBe(2);
    expect(await count(after(2_999))).toBe(1);
    expect(await count(after(3_000))).toBe(0);
  });

  it.each<[string, Partial<SignInClaim>]>([
    ['of another browser', { browserDigest: sha256('another browser') }],
    ['to another account', { appId: 'wxfedcba9876543210' }],
    ['of another scope', { scope: 'userinfo' }],
  ])('does not count one %s', async (_, changes) => {
    await completed(1, 1_000);
    await completed(2, 1_000, changes);
    expect(await count(START)).toBe(1);
  });
});

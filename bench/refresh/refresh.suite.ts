import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import { DataSource } from 'typeorm';
import { Pool } from 'undici';
import { Sealer } from '../../src/common/sealer.js';
import { RefreshRepository } from '../../src/grants/refresh.repository.js';
import { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { WechatAuthService } from '../../src/index.js';
import { absolute, type Figure, inTurns, median, progress, ratioOf, type Suite } from '../harness.js';
import { withDatabase } from '../postgres.js';
import { ServerProcess } from '../server.process.js';
import { type GrantedTokens, makeDue, readGrants } from './grant.table.js';
import { BATCH, CONCURRENCY, startHost } from './host.js';
import type { EmulatedWechat } from './wechat.main.js';

const MAIN = new URL('./wechat.main.js', import.meta.url);
const ACCOUNTS = 10;
const USERS = 1_500;
/** The loop is slow: so many are enough to know how slow. */
const NAIVE_GRANTS = 300;
const ROUNDS = 5;

/** How fast one instance refreshes, against what HTTP and the database allow, and against the loop that people write. */
export const refresh: Suite = {
  name: 'refresh',
  about:
    'access tokens a second that one instance refreshes, against its ceiling and a simple loop; 2 minutes',
  run: () =>
    withDatabase(async (databaseUrl) => {
      progress('refresh: users consent at an emulated WeChat');
      const words = [databaseUrl, String(ACCOUNTS), String(USERS)];
      const wechat = await ServerProcess.start<EmulatedWechat>(MAIN, words);
      try {
        return await measure(databaseUrl, wechat.ready);
      } finally {
        await wechat.stop();
      }
    }),
};

async function measure(databaseUrl: string, wechat: EmulatedWechat): Promise<Figure[]> {
  const { origin, accounts } = wechat;
  const application = await startHost(databaseUrl, wechat);
  const pool = new Pool(origin, { connections: CONCURRENCY });
  try {
    const dataSource = application.get(DataSource);
    const sealer = application.get(Sealer, { strict: false });
    const service = application.get(WechatAuthService, { strict: false });
    const repository = application.get(RefreshRepository, { strict: false });
    const granted = await readGrants(dataSource, sealer);
    const few = granted.slice(0, NAIVE_GRANTS);

    /** Each gets the table ready, does its work, and gives the grants a second. */
    const sides = {
      http: () => rateOf(granted, () => callAll(pool, granted)),
      update: async () => {
        const save = await prepareUpdates(repository, dataSource, accounts);
        return rateOf(granted, save);
      },
      sweep: async () => {
        await makeDue(dataSource);
        return rateOf(granted, () => sweep(service, granted.length));
      },
      naive: () => rateOf(few, () => naiveLoop(dataSource, sealer, origin, few)),
    };
    for (const side of Object.values(sides)) await side();
    const rates = await inTurns(ROUNDS, Object.keys(sides) as (keyof typeof sides)[], async (name) => {
      const rate = await sides[name]();
      progress(`refresh: ${name}: ${Math.round(rate)} a second`);
      return rate;
    });
    const rate = (name: keyof typeof sides): number => median(rates.get(name) ?? []);
    const ceiling = 1 / (1 / rate('http') + 1 / rate('update'));
    return [
      ratioOf('refresh', 'sweep/ceiling', 'grants/s', rate('sweep'), ceiling),
      ratioOf('refresh', 'sweep/naive', 'grants/s', rate('sweep'), rate('naive')),
      absolute('refresh', 'per-second', 'grants/s', rate('sweep')),
    ];
  } finally {
    await pool.close();
    await application.close();
  }
}

async function rateOf(grants: readonly unknown[], work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return (grants.length / (performance.now() - begin)) * 1000;
}

async function sweep(service: WechatAuthService, due: number): Promise<void> {
  const report = await service.refreshDue();
  if (report.refreshed === due && report.failed === 0) return;
  throw new Error(`A sweep of ${due} ended in ${JSON.stringify(report)}.`);
}

/** The same calls by the HTTP client alone, as many at once. */
async function callAll(pool: Pool, granted: readonly GrantedTokens[]): Promise<void> {
  const limit = pLimit(CONCURRENCY);
  await Promise.all(
    granted.map(({ appId, refreshToken }) =>
      limit(async () => {
        const query = `appid=${appId}&grant_type=refresh_token&refresh_token=${refreshToken}`;
        const { body } = await pool.request({ method: 'GET', path: `/sns/oauth2/refresh_token?${query}` });
        await body.text();
      }),
    ),
  );
}

/** @returns the batched UPDATE alone, of rows that are claimed by then. */
async function prepareUpdates(
  repository: RefreshRepository,
  dataSource: DataSource,
  accounts: EmulatedWechat['accounts'],
): Promise<() => Promise<void>> {
  await makeDue(dataSource);
  const now = new Date(Date.now() + 1_000);
  const claim = { leaseId: randomUUID(), now, leaseExpiresAt: new Date(now.getTime() + 600_000) };
  const batches: Parameters<RefreshRepository['save']>[0][] = [];
  for (const { appId } of accounts) {
    for (;;) {
      const claimed = await repository.claimDue(appId, claim, BATCH);
      if (claimed.length === 0) break;
      batches.push(
        claimed.map((one) => ({
          claimed: one,
          tokens: {
            accessToken: 'a'.repeat(110),
            refreshToken: repository.refreshTokenOf(one),
            accessTokenExpiresAt: now,
          },
          pairStatus: 'alive',
          pairSuspectSince: null,
          refreshDueAt: new Date(now.getTime() + 6_600_000),
          refreshFailures: 0,
          refreshFailedAt: null,
        })),
      );
    }
  }
  return async () => {
    for (const batch of batches) await repository.save(batch);
  };
}

/** What people write: one after the other, with the global fetch and an entity manager. */
async function naiveLoop(
  dataSource: DataSource,
  sealer: Sealer,
  origin: string,
  granted: readonly GrantedTokens[],
): Promise<void> {
  const rows = dataSource.getRepository(WechatGrant);
  for (const { appId, openid, refreshToken } of granted) {
    const row = await rows.findOneByOrFail({ appId, openid });
    const query = `appid=${appId}&grant_type=refresh_token&refresh_token=${refreshToken}`;
    const answer = (await (await fetch(`${origin}/sns/oauth2/refresh_token?${query}`)).json()) as {
      access_token: string;
      expires_in: number;
    };
    row.sealedTokens = sealer.seal('tokens', `wechat_grant/${appId}/${openid}`, {
      at: answer.access_token,
      rt: refreshToken,
    });
    row.accessTokenExpiresAt = new Date(Date.now() + answer.expires_in * 1000);
    await rows.save(row);
  }
}

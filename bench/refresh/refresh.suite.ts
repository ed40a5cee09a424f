import 'reflect-metadata';
import { createHash, randomUUID } from 'node:crypto';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import pLimit from 'p-limit';
import { DataSource } from 'typeorm';
import { Pool } from 'undici';
import { Sealer } from '../../src/common/sealer.js';
import { RefreshRepository } from '../../src/grants/refresh.repository.js';
import { WechatGrant } from '../../src/grants/wechat-grant.entity.js';
import { wechatAuthMigrations, WechatAuthModule, WechatAuthService } from '../../src/index.js';
import { absolute, type Figure, inTurns, median, progress, ratioOf, type Suite } from '../harness.js';
import { withDatabase } from '../postgres.js';
import { ServerProcess } from '../server.process.js';
import { fillGrants, makeDue } from './grant.table.js';
import type { EmulatedWechat, GrantedTokens } from './wechat.main.js';

const MAIN = new URL('./wechat.main.js', import.meta.url);
const ACCOUNTS = 10;
const USERS = 1_500;
const CONCURRENCY = 32;
const BATCH = 500;
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
      const wechat = await ServerProcess.start<EmulatedWechat>(MAIN, [String(ACCOUNTS), String(USERS)]);
      try {
        return await measure(databaseUrl, wechat.ready);
      } finally {
        await wechat.stop();
      }
    }),
};

async function measure(databaseUrl: string, wechat: EmulatedWechat): Promise<Figure[]> {
  const { origin, accounts, granted } = wechat;
  const application = await NestFactory.createApplicationContext(hostOf(databaseUrl, wechat), {
    logger: ['error'],
  });
  const pool = new Pool(origin, { connections: CONCURRENCY });
  try {
    const dataSource = application.get(DataSource);
    const sealer = application.get(Sealer, { strict: false });
    const service = application.get(WechatAuthService, { strict: false });
    const repository = application.get(RefreshRepository, { strict: false });
    await fillGrants(dataSource, sealer, granted);

    const sides = {
      http: () => secondsOf(() => callAll(pool, granted)),
      update: () => secondsOf(() => updateAll(repository, dataSource, accounts)),
      sweep: async () => {
        await makeDue(dataSource);
        return secondsOf(async () => {
          const report = await service.refreshDue();
          if (report.refreshed !== granted.length || report.failed > 0) {
            throw new Error(`A sweep of ${granted.length} ended in ${JSON.stringify(report)}.`);
          }
        });
      },
      naive: () => secondsOf(() => naiveLoop(dataSource, sealer, origin, granted.slice(0, NAIVE_GRANTS))),
    };
    for (const side of Object.values(sides)) await side();
    const seconds = await inTurns(ROUNDS, Object.keys(sides) as (keyof typeof sides)[], async (name) => {
      const count = name === 'naive' ? NAIVE_GRANTS : granted.length;
      const rate = count / (await sides[name]());
      progress(`refresh: ${name}: ${Math.round(rate)} a second`);
      return rate;
    });
    const rate = (name: keyof typeof sides): number => median(seconds.get(name) ?? []);
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

function hostOf(databaseUrl: string, { origin, accounts }: EmulatedWechat): new () => object {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: databaseUrl,
        autoLoadEntities: true,
        migrations: [...wechatAuthMigrations],
        migrationsRun: true,
      }),
      WechatAuthModule.forRoot({
        accounts,
        publicUrl: 'http://localhost:3000',
        keys: `k1:${createHash('sha256').update('bench').digest('base64')}`,
        openBaseUrl: origin,
        apiBaseUrl: origin,
        // This suite says when; the rest is as every host has it.
        refresh: { intervalMs: 60 * 60 * 1000, concurrency: CONCURRENCY, batchSize: BATCH, quotaShare: 1 },
      }),
    ],
  })
  class HostModule {}
  return HostModule;
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

/** The batched UPDATE alone, of rows that were claimed before the clock runs. */
async function updateAll(
  repository: RefreshRepository,
  dataSource: DataSource,
  accounts: EmulatedWechat['accounts'],
): Promise<void> {
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
  await timed(async () => {
    for (const batch of batches) await repository.save(batch);
  });
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

let pausedMs = 0;

/** Counts towards {@link secondsOf} only what is done in here, where there is something to prepare before. */
async function timed(work: () => Promise<void>): Promise<void> {
  pausedMs = performance.now();
  await work();
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  pausedMs = performance.now();
  await work();
  return (performance.now() - pausedMs) / 1000;
}

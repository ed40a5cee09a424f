import 'reflect-metadata';
import { Controller, Get, type LogLevel, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  CurrentWechatUser,
  WechatAuth,
  WechatAuthModule,
  WechatAuthService,
  type WechatAuthOptions,
  WechatClock,
  type WechatUser,
} from '../../../src/index.js';
import { takeOrders } from './commands.js';
import { TurnableClock } from '../turnable.clock.js';

/** All that an instance is told; what it does not say is as every host has it. */
export interface InstanceSettings {
  /** What the database's own list of connections calls it. */
  name: string;
  databaseUrl: string;
  /** Connections that it may open. */
  poolSize: number;
  /** How far its clock is ahead of the machine's, in milliseconds. */
  aheadMs: number;
  logLevels: LogLevel[];
  module: WechatAuthOptions;
}

/** What came of many who asked at once: each text or error once, with how often it came. */
export type Tally = Record<string, number>;

@Controller()
class PagesController {
  @Get('me')
  @WechatAuth('userinfo')
  me(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }
}

const settings = JSON.parse(process.argv[2] ?? '') as InstanceSettings;
const clock = new TurnableClock();
clock.advance(settings.aheadMs);
// Where it fails, whoever asks for `ready` is told why.
const started = start();

takeOrders({
  /** @returns where it serves. */
  ready: async (): Promise<string> => (await started).getUrl(),
  advanceClock: (ms: number) => clock.advance(ms),
  getAccessTokens: async (openid: string, count: number): Promise<Tally> => {
    const service = (await started).get(WechatAuthService, { strict: false });
    const asked = Array.from({ length: count }, () => service.getAccessToken({ openid }));
    const tally: Tally = {};
    for (const outcome of await Promise.allSettled(asked)) {
      const text = outcome.status === 'fulfilled' ? outcome.value : codeOf(outcome.reason);
      tally[text] = (tally[text] ?? 0) + 1;
    }
    return tally;
  },
  getAccessToken: async (openid: string): Promise<string> =>
    (await started).get(WechatAuthService, { strict: false }).getAccessToken({ openid }),
  refreshDue: async () => (await started).get(WechatAuthService, { strict: false }).refreshDue(),
  /** Holds as many connections at once as the pool has: possible only while nobody else keeps one. */
  takeWholePool: async (): Promise<number> => {
    const dataSource = (await started).get(DataSource);
    const runners = Array.from({ length: settings.poolSize }, () => dataSource.createQueryRunner());
    try {
      await Promise.all(runners.map((runner) => runner.connect()));
      const answers = await Promise.all(runners.map((runner) => runner.query('SELECT 1')));
      return answers.length;
    } finally {
      await Promise.all(runners.map((runner) => runner.release()));
    }
  },
});

async function start() {
  const { name, databaseUrl, poolSize, logLevels, module } = settings;
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: databaseUrl,
        applicationName: name,
        poolSize,
        autoLoadEntities: true,
        retryAttempts: 0,
      }),
      WechatAuthModule.forRoot(module),
    ],
    controllers: [PagesController],
  })
  class HostModule {}
  const testing = await Test.createTestingModule({ imports: [HostModule] })
    .overrideProvider(WechatClock)
    .useValue(clock)
    .compile();
  const app = testing.createNestApplication({ logger: logLevels });
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  return app;
}

function codeOf(error: unknown): string {
  const { code, name } = error as Error & { code?: string };
  return `failed: ${name} ${code ?? ''}`;
}

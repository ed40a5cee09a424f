import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, type INestApplication, Module, Post, type Type } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import pg from 'pg';
import { DataSource } from 'typeorm';
import {
  createWechatEmulator,
  type WechatEmulator,
  type WechatEmulatorOptions,
} from '../../src/emulator/index.js';
import {
  CurrentWechatUser,
  WechatAuth,
  wechatAuthMigrations,
  WechatAuthModule,
  type WechatAuthOptions,
  WechatClock,
  type WechatUser,
} from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { TurnableClock } from './turnable.clock.js';

export { TurnableClock } from './turnable.clock.js';

/** For `describe.each`: what the module promises, it promises on both. */
export const PLATFORMS = ['express', 'fastify'] as const;
export type Platform = (typeof PLATFORMS)[number];

export const TEST_KEY = `k1:${Buffer.alloc(32, 7).toString('base64')}`;

/** Routes as a host would write them. */
@Controller()
class HostController {
  @Get('public')
  public(): string {
    return 'open to all';
  }

  @Get('hello')
  @WechatAuth('base')
  hello(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }

  @Get('me')
  @WechatAuth('userinfo')
  me(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }

  @Get('direct')
  @WechatAuth('userinfo', { prompt: 'direct' })
  direct(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }

  @Get('maybe')
  @WechatAuth('userinfo', { optional: true })
  maybe(@CurrentWechatUser() user: WechatUser | undefined): { user: WechatUser | null } {
    return { user: user ?? null };
  }

  @Post('orders')
  @WechatAuth()
  order(@CurrentWechatUser() user: WechatUser): { orderedBy: string } {
    return { orderedBy: user.openid };
  }
}

export interface TestWorldOptions {
  platform?: Platform;
  /** The platform with settings of its own. */
  adapter?: AbstractHttpAdapter;
  emulator?: WechatEmulatorOptions;
  module?: WechatAuthOptions;
  /** More modules of the host's. */
  imports?: Type[];
  /** More controllers of the host's. */
  controllers?: Type[];
  /** Called, and awaited, before the application listens. */
  configure?: (app: INestApplication) => unknown;
}

export interface TestInstance {
  app: INestApplication;
  /** Where this instance listens. */
  url: string;
}

/** An emulated WeChat, a database and a clock, shared by as many instances of an application as a test wants. */
export class TestWorld {
  readonly clock: TurnableClock;
  private readonly instances: TestInstance[] = [];

  private constructor(
    readonly wechat: WechatEmulator,
    readonly database: TestDatabase,
    clock: TurnableClock,
  ) {
    this.clock = clock;
  }

  /** @param database where a test wants more of it than a database of its own on the run's server. */
  static async create(emulator: WechatEmulatorOptions = {}, database?: TestDatabase): Promise<TestWorld> {
    const clock = new TurnableClock();
    const wechat = await createWechatEmulator({ now: () => clock.now(), ...emulator });
    database ??= await createTestDatabase();
    const dataSource = await new DataSource({
      type: 'postgres',
      url: database.url,
      migrations: wechatAuthMigrations,
    }).initialize();
    await dataSource.runMigrations();
    await dataSource.destroy();
    return new TestWorld(wechat, database, clock);
  }

  /** Starts an instance; its public URL is its own address, unless the options say otherwise. */
  async start({
    platform = 'express',
    adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter(),
    module = {},
    imports = [],
    controllers = [],
    configure,
  }: TestWorldOptions = {}): Promise<TestInstance> {
    const port = await freePort();
    const url = `http://127.0.0.1:${String(port)}`;
    const [account] = this.wechat.apps;
    @Module({
      imports: [
        TypeOrmModule.forRoot({
          type: 'postgres',
          url: this.database.url,
          autoLoadEntities: true,
          retryAttempts: 0,
        }),
        WechatAuthModule.forRoot({
          ...(!module.accounts && { appId: account?.appId ?? '', appSecret: account?.appSecret ?? '' }),
          publicUrl: url,
          keys: TEST_KEY,
          openBaseUrl: this.wechat.openBaseUrl,
          apiBaseUrl: this.wechat.apiBaseUrl,
          requestTimeoutMs: 1_000,
          // A test says when tokens are refreshed.
          refresh: false,
          ...module,
        }),
        ...imports,
      ],
      controllers: [HostController, ...controllers],
    })
    class HostModule {}
    const testing = await Test.createTestingModule({ imports: [HostModule] })
      .overrideProvider(WechatClock)
      .useValue(this.clock)
      .compile();
    const app = testing.createNestApplication(adapter, { logger: false });
    await configure?.(app);
    await app.listen(port, '127.0.0.1');
    const instance = { app, url };
    this.instances.push(instance);
    return instance;
  }

  /** Another day: nobody has ever signed in, and WeChat is as at first. Instances go on. */
  async reset(): Promise<void> {
    await this.query(
      'DELETE FROM wechat_sign_in; DELETE FROM wechat_grant; DELETE FROM wechat_revocation; DELETE FROM wechat_lease',
    );
    await this.wechat.reset();
    // What instances remember of failures and of browsers in circles is over.
    this.clock.advance(24 * 60 * 60_000);
  }

  /** What is in the database, as it is. */
  async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.database.url });
    await client.connect();
    try {
      return (await client.query<Row>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  async close(): Promise<void> {
    for (const { app } of this.instances) await app.close();
    await this.wechat.close();
    await this.database.drop();
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

import {
  Controller,
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type Provider,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { APP_FILTER } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { WechatClock } from './common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from './common/options.js';
import { SystemRandomness, WechatRandomness } from './common/randomness.js';
import { Sealer } from './common/sealer.js';
import { WechatSessionStore } from './common/session.js';
import { DatabaseClock } from './grants/database-clock.js';
import { wechatAuthEntities } from './grants/entities.js';
import { GrantRepository } from './grants/grant.repository.js';
import { SchemaCheck } from './grants/schema.check.js';
import { SignInRepository } from './grants/sign-in.repository.js';
import { WechatClient } from './protocol/wechat.client.js';
import { AccessDecider } from './sign-in/access.decision.js';
import { Authorization } from './sign-in/authorization.js';
import { Browsers } from './sign-in/browser.js';
import { CallbackFailures } from './sign-in/callback.failures.js';
import { CallbackHandler } from './sign-in/callback.handler.js';
import { CookieSessionStore } from './sign-in/cookie-session.store.js';
import { ExchangeClaims } from './sign-in/exchange.claims.js';
import { HttpExchanges } from './sign-in/http-exchange.js';
import { Profiles } from './sign-in/profiles.js';
import { PublicUrls } from './sign-in/public-urls.js';
import { SignInCompletion } from './sign-in/sign-in.completion.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { SignInRequests } from './sign-in/sign-in.request.js';
import { SignInStarter } from './sign-in/sign-in.starter.js';
import { SignOut } from './sign-in/sign-out.js';
import { States } from './sign-in/state.js';
import { SignInTickets } from './sign-in/ticket.js';
import { WechatAuthExceptionFilter } from './sign-in/wechat-auth.exception.js';
import { resolveOptions, type WechatAuthOptions } from './wechat-auth.options.js';
import { WechatAuthService } from './wechat-auth.service.js';

/** Settings that are known only once other providers are. */
export interface WechatAuthAsyncOptions {
  imports?: ModuleMetadata['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: (...dependencies: never[]) => WechatAuthOptions | Promise<WechatAuthOptions>;
  /** Name of the TypeORM data source, where the default one is not meant. */
  dataSource?: string;
}

/** What the host's options are resolved from: injected into one provider, so that it is read only once needed. */
const HOST_OPTIONS = Symbol('nestjs-wechat-auth:host-options');

/**
 * Sign-in with WeChat's web-page OAuth. Needs TypeORM with PostgreSQL; the tables come from `wechatAuthMigrations`.
 *
 * @example
 * WechatAuthModule.forRoot() // everything from the environment
 */
@Module({})
export class WechatAuthModule implements OnApplicationShutdown {
  constructor(@Inject(WechatClient) private readonly client: WechatClient) {}

  static forRoot(options: WechatAuthOptions & { dataSource?: string } = {}): DynamicModule {
    return dynamicModule({ provide: HOST_OPTIONS, useValue: options }, options.dataSource);
  }

  static forRootAsync({ imports, inject, useFactory, dataSource }: WechatAuthAsyncOptions): DynamicModule {
    const provider: FactoryProvider = { provide: HOST_OPTIONS, inject: inject ?? [], useFactory };
    return dynamicModule(provider, dataSource, imports);
  }

  /** After the last request: until then handlers may still call WeChat. */
  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}

function dynamicModule(
  hostOptions: Provider,
  dataSourceName: string | undefined,
  imports: ModuleMetadata['imports'] = [],
): DynamicModule {
  // A class of this module instance's own: its path is an option, and Nest keeps paths on classes.
  class Routes extends SignInController {}
  const dataSource = getDataSourceToken(dataSourceName);
  return {
    module: WechatAuthModule,
    global: true,
    // A bare ConfigModule reads what the host's configuration has loaded, and process.env where there is none.
    imports: [...imports, ConfigModule, TypeOrmModule.forFeature(wechatAuthEntities, dataSourceName)],
    controllers: [Routes],
    providers: [hostOptions, optionsProvider(Routes), ...providers(dataSource)],
    exports: [
      WechatAuthService,
      WechatClient,
      WechatClock,
      // What the guard and its filter need wherever the host applies them.
      AccessDecider,
      HttpExchanges,
    ],
  };
}

function optionsProvider(routes: Type): Provider {
  return {
    provide: WECHAT_AUTH_OPTIONS,
    inject: [HOST_OPTIONS, ConfigService],
    useFactory: (options: WechatAuthOptions, config: ConfigService): ResolvedWechatAuthOptions => {
      const resolved = resolveOptions(options, (name) => config.get<string>(name));
      // Nest reads the path when it registers the routes, after all providers are made.
      Controller({ path: resolved.path, version: VERSION_NEUTRAL })(routes);
      return resolved;
    },
  };
}

function providers(dataSource: ReturnType<typeof getDataSourceToken>): Provider[] {
  return [
    { provide: WechatRandomness, useClass: SystemRandomness },
    { provide: WechatClock, inject: [dataSource], useFactory: (db: DataSource) => new DatabaseClock(db) },
    {
      provide: Sealer,
      inject: [WECHAT_AUTH_OPTIONS, WechatRandomness],
      useFactory: ({ keys }: ResolvedWechatAuthOptions, randomness: WechatRandomness) =>
        new Sealer(keys, randomness),
    },
    {
      provide: WechatClient,
      inject: [WECHAT_AUTH_OPTIONS],
      useFactory: (options: ResolvedWechatAuthOptions) => new WechatClient(options),
    },
    { provide: SchemaCheck, inject: [dataSource], useFactory: (db: DataSource) => new SchemaCheck(db) },
    {
      provide: GrantRepository,
      inject: [dataSource, Sealer],
      useFactory: (db: DataSource, sealer: Sealer) => new GrantRepository(db, sealer),
    },
    {
      provide: SignInRepository,
      inject: [dataSource],
      useFactory: (db: DataSource) => new SignInRepository(db),
    },
    CookieSessionStore,
    {
      provide: WechatSessionStore,
      inject: [WECHAT_AUTH_OPTIONS, CookieSessionStore],
      useFactory: ({ sessionStore }: ResolvedWechatAuthOptions, cookies: CookieSessionStore) =>
        sessionStore ?? cookies,
    },
    HttpExchanges,
    PublicUrls,
    SignInRequests,
    SignInTickets,
    States,
    Browsers,
    Authorization,
    SignInStarter,
    SignInCompletion,
    ExchangeClaims,
    CallbackFailures,
    CallbackHandler,
    SignOut,
    Profiles,
    AccessDecider,
    // For routes that a global guard protects and no decorator marks.
    { provide: APP_FILTER, useClass: WechatAuthExceptionFilter },
    WechatAuthService,
  ];
}

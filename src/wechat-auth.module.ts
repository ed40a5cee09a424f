import {
  Controller,
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type ModuleMetadata,
  type NestModule,
  type OnApplicationShutdown,
  type Provider,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { WechatClock } from './common/clock.js';
import { WechatConfigurationError } from './common/errors.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from './common/options.js';
import { SystemRandomness, WechatRandomness } from './common/randomness.js';
import { Sealer } from './common/sealer.js';
import { WechatSessionStore } from './common/session.js';
import { DatabaseClock } from './grants/database-clock.js';
import { wechatAuthEntities } from './grants/entities.js';
import { GrantRepository } from './grants/grant.repository.js';
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
import { isRecord, kindOf } from './configuration/settings.reader.js';
import { moduleProblems, StartCheck, surroundingProblems } from './start.check.js';
import { checkOptions, type WechatAuthOptions } from './wechat-auth.options.js';
import { WechatAuthService } from './wechat-auth.service.js';

/** Settings that are known only once other providers are. */
export interface WechatAuthAsyncOptions {
  imports?: ModuleMetadata['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: (...dependencies: never[]) => WechatAuthOptions | Promise<WechatAuthOptions>;
  /** Name of the TypeORM data source, where the default one is not meant. */
  dataSource?: string;
}

type DataSourceToken = ReturnType<typeof getDataSourceToken>;

/** What the host wrote, not yet looked at. */
const HOST_OPTIONS = Symbol('nestjs-wechat-auth:host-options');
/** Reads variables where the host has not made a configuration of its own available everywhere. */
const PLAIN_CONFIG = Symbol('nestjs-wechat-auth:plain-config');

/**
 * A bare ConfigModule reads what any `ConfigModule.forRoot()` has loaded, and `process.env`. It stands apart, so that
 * it does not come in the way of the ConfigService that the host's own factory asks for.
 */
@Module({
  imports: [ConfigModule],
  providers: [{ provide: PLAIN_CONFIG, useExisting: ConfigService }],
  exports: [PLAIN_CONFIG],
})
class PlainConfigModule {}

/**
 * Sign-in with WeChat's web-page OAuth. Needs TypeORM with PostgreSQL; the tables come from `wechatAuthMigrations`.
 *
 * @example
 * WechatAuthModule.forRoot() // everything from the environment
 */
@Module({})
export class WechatAuthModule implements NestModule, OnApplicationShutdown {
  constructor(
    @Inject(WechatClient) private readonly client: WechatClient,
    @Inject(ApplicationConfig) private readonly application: ApplicationConfig,
    @Inject(WechatAuthExceptionFilter) private readonly filter: WechatAuthExceptionFilter,
  ) {}

  /**
   * @param options what is left out comes from the environment. `dataSource` names a TypeORM data source other than
   * the default one.
   */
  static forRoot(options: WechatAuthOptions & { dataSource?: string } = {}): DynamicModule {
    const dataSource = dataSourceNameOf(options);
    const useValue = dataSource === undefined ? options : { ...options, dataSource: undefined };
    return dynamicModule({ provide: HOST_OPTIONS, useValue }, dataSource);
  }

  /** For options that are known only once other providers are. What they leave out comes from the environment. */
  static forRootAsync(options: WechatAuthAsyncOptions): DynamicModule {
    const dataSource = dataSourceNameOf(options);
    const { imports, inject, useFactory }: Partial<WechatAuthAsyncOptions> = isRecord(options) ? options : {};
    // Without a factory there are no options, and the check at start says how they should have come.
    const provider =
      typeof useFactory === 'function'
        ? { provide: HOST_OPTIONS, inject: inject ?? [], useFactory }
        : { provide: HOST_OPTIONS, useValue: undefined };
    return dynamicModule(provider, dataSource, imports);
  }

  /**
   * Nest asks the filter that came last first. This runs after the host has named all of its own, and before filters
   * are bound to routes, so a filter of the host's that catches everything leaves our answers alone.
   */
  configure(): void {
    this.application.addGlobalFilter(this.filter);
  }

  /** After the last request: until then handlers may still call WeChat. */
  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}

/** @throws {WechatConfigurationError} at once, since without it there is no module that could be checked at start. */
function dataSourceNameOf(options: unknown): string | undefined {
  const name = isRecord(options) ? options['dataSource'] : undefined;
  if (name === undefined || (typeof name === 'string' && name !== '')) return name;
  throw new WechatConfigurationError([
    {
      problem: `dataSource is not the name of a TypeORM data source: the option holds ${kindOf(name)}.`,
      cure: 'Leave it out for the default data source.',
    },
  ]);
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
    imports: [...imports, PlainConfigModule, TypeOrmModule.forFeature(wechatAuthEntities, dataSourceName)],
    controllers: [Routes],
    providers: [hostOptions, optionsProvider(Routes, dataSource), ...providers(dataSource)],
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

function optionsProvider(routes: Type, dataSource: DataSourceToken): Provider {
  return {
    provide: WECHAT_AUTH_OPTIONS,
    inject: [
      HOST_OPTIONS,
      // One that is global, or that the host imports here, waits for what the host's configuration loads.
      { token: ConfigService, optional: true },
      PLAIN_CONFIG,
      dataSource,
      ModulesContainer,
    ],
    useFactory: async (
      options: unknown,
      hostConfig: ConfigService | undefined,
      plainConfig: ConfigService,
      db: DataSource,
      modules: ModulesContainer,
    ): Promise<ResolvedWechatAuthOptions> => {
      const config = hostConfig ?? plainConfig;
      const checked = checkOptions(options, (name) => config.get<unknown>(name));
      const twice = moduleProblems(modules);
      if ('problems' in checked || twice.length > 0) {
        const [own, usable] =
          'problems' in checked ? [checked.problems, checked.usable] : [[], checked.resolved];
        const others = await surroundingProblems(db, modules, usable);
        throw new WechatConfigurationError([...own, ...twice, ...others]);
      }
      // Nest reads the path when it registers the routes, after all providers are made.
      Controller({ path: checked.resolved.path, version: VERSION_NEUTRAL })(routes);
      return checked.resolved;
    },
  };
}

function providers(dataSource: DataSourceToken): Provider[] {
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
    {
      provide: StartCheck,
      inject: [dataSource, ModulesContainer, WECHAT_AUTH_OPTIONS],
      useFactory: (db: DataSource, modules: ModulesContainer, options: ResolvedWechatAuthOptions) =>
        new StartCheck(db, modules, options),
    },
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
    WechatAuthExceptionFilter,
    WechatAuthService,
  ];
}

import {
  Controller,
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type ModuleMetadata,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { ApplicationConfig, ModuleRef, ModulesContainer } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { WechatClock } from './common/clock.js';
import type { WechatConfigurationProblem } from './common/errors.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from './common/options.js';
import { WECHAT_DATA_SOURCE } from './grants/data-source.token.js';
import { wechatAuthEntities } from './grants/entities.js';
import { WechatClient } from './protocol/wechat.client.js';
import { WechatHealthIndicator } from './observability/wechat.health-indicator.js';
import { AccessDecider } from './sign-in/access.decision.js';
import { HttpExchanges } from './sign-in/http-exchange.js';
import { SignInController } from './sign-in/sign-in.controller.js';
import { WechatAuthExceptionFilter } from './sign-in/wechat-auth.exception.js';
import { checkAsyncOptions, dataSourceNameOf, requireList } from './configuration/module-arguments.check.js';
import { isRecord } from './configuration/settings.reader.js';
import { DataSourceArrival, dataSourceProvider, noDataSourceProblem } from './data-source.arrival.js';
import { checkOptions, OPTION_NAMES } from './options.check.js';
import { requireOptionsAtStart } from './request-scope.check.js';
import { lookAround, moduleProblems, refuseStart, StartCheck } from './start.check.js';
import { wechatAuthProviders } from './wechat-auth.providers.js';
import type { WechatAuthOptions } from './wechat-auth.options.js';
import { WechatAuthService } from './wechat-auth.service.js';

/** Settings that are known only once other providers are. */
export interface WechatAuthAsyncOptions {
  imports?: ModuleMetadata['imports'];
  inject?: FactoryProvider['inject'];
  useFactory: (...dependencies: never[]) => WechatAuthOptions | Promise<WechatAuthOptions>;
  /** Name of the TypeORM data source, where the default one is not meant. */
  dataSource?: string;
}

/** What the host wrote, not yet looked at. */
const HOST_OPTIONS = Symbol('nestjs-wechat-auth:host-options');
/** The host's data source; undefined if there is none. */
const HOST_DATA_SOURCE = Symbol('nestjs-wechat-auth:host-data-source');
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
export class WechatAuthModule implements NestModule, OnModuleInit, OnApplicationShutdown {
  private client: WechatClient | undefined;

  /** What depends on the options is asked for later: it is not there where they depend on a request. */
  constructor(
    @Inject(ModuleRef) private readonly parts: ModuleRef,
    @Inject(ApplicationConfig) private readonly application: ApplicationConfig,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
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
    const given: Partial<WechatAuthAsyncOptions> = isRecord(options) ? options : {};
    const { imports, inject = [], useFactory } = given;
    requireList('imports', imports);
    requireList('inject', inject);
    // Without a factory there are no options, and the check at start says how they should have come.
    if (typeof useFactory !== 'function') {
      return dynamicModule({ provide: HOST_OPTIONS, useValue: undefined }, dataSource, { imports });
    }
    const misplaced = checkAsyncOptions(given, OPTION_NAMES).list;
    return dynamicModule({ provide: HOST_OPTIONS, inject, useFactory }, dataSource, { imports, misplaced });
  }

  /**
   * Nest asks the filter that came last first. This runs after the host has named all of its own, and before filters
   * are bound to routes, so a filter of the host's that catches everything leaves our answers alone.
   */
  async configure(): Promise<void> {
    this.requireOptions();
    this.application.addGlobalFilter(this.parts.get(WechatAuthExceptionFilter));
    await this.parts.get(StartCheck).beforeRoutes();
  }

  /** Asks as well: where no HTTP is served, nobody calls `configure`. */
  onModuleInit(): void {
    this.requireOptions();
    this.client = this.parts.get(WechatClient);
  }

  /** After the last request: until then handlers may still call WeChat. */
  async onApplicationShutdown(): Promise<void> {
    await this.client?.close();
  }

  private requireOptions(): void {
    requireOptionsAtStart(HOST_OPTIONS, this.modules);
  }
}

function dynamicModule(
  hostOptions: Provider,
  dataSourceName: string | undefined,
  {
    imports = [],
    misplaced = [],
  }: {
    imports?: ModuleMetadata['imports'];
    /** What is wrong with the way that the options came. */
    misplaced?: readonly WechatConfigurationProblem[];
  } = {},
): DynamicModule {
  // A class of this module instance's own: its path is an option, and Nest keeps paths on classes.
  class Routes extends SignInController {}
  // Registers the entities for `autoLoadEntities`. The module that it returns is left: it has repositories only, which
  // nobody asks for, and without the data source Nest would fail on them before anything is checked.
  TypeOrmModule.forFeature(wechatAuthEntities, dataSourceName);
  return {
    module: WechatAuthModule,
    global: true,
    imports: [...imports, PlainConfigModule],
    controllers: [Routes],
    providers: [
      hostOptions,
      { provide: DataSourceArrival, useFactory: () => new DataSourceArrival() },
      dataSourceProvider(HOST_DATA_SOURCE, dataSourceName),
      optionsProvider(Routes, dataSourceName, misplaced),
      {
        provide: WECHAT_DATA_SOURCE,
        inject: [HOST_DATA_SOURCE, WECHAT_AUTH_OPTIONS],
        useFactory: (dataSource: DataSource) => dataSource,
      },
      ...wechatAuthProviders,
    ],
    exports: [
      WechatAuthService,
      WechatClient,
      WechatClock,
      WechatHealthIndicator,
      // What the guard and its filter need wherever the host applies them.
      AccessDecider,
      HttpExchanges,
    ],
  };
}

function optionsProvider(
  routes: Type,
  dataSourceName: string | undefined,
  misplaced: readonly WechatConfigurationProblem[],
): Provider {
  return {
    provide: WECHAT_AUTH_OPTIONS,
    inject: [
      HOST_OPTIONS,
      // One that is global, or that the host imports here, waits for what the host's configuration loads.
      { token: ConfigService, optional: true },
      PLAIN_CONFIG,
      DataSourceArrival,
      ModulesContainer,
    ],
    useFactory: async (
      options: unknown,
      hostConfig: ConfigService | undefined,
      plainConfig: ConfigService,
      arrival: DataSourceArrival,
      modules: ModulesContainer,
    ): Promise<ResolvedWechatAuthOptions> => {
      const config = hostConfig ?? plainConfig;
      const checked = checkOptions(options, (name) => config.get<unknown>(name));
      const [own, usable] =
        'problems' in checked ? [checked.problems, checked.usable] : [[], checked.resolved];
      const problems = [...misplaced, ...own, ...moduleProblems(modules)];
      const dataSource = await (problems.length > 0 ? arrival.soon() : arrival.settled);
      if (!dataSource) problems.push(noDataSourceProblem(dataSourceName, modules));
      if ('problems' in checked || problems.length > 0) {
        refuseStart(problems, await lookAround(dataSource, modules, usable));
      }
      // Nest reads the path when it registers the routes, after all providers are made.
      Controller({ path: checked.resolved.path, version: VERSION_NEUTRAL })(routes);
      return checked.resolved;
    },
  };
}

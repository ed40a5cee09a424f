import type { OnModuleInit } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { WechatConfigurationError, type WechatConfigurationProblem } from './common/errors.js';
import type { ResolvedWechatAuthOptions } from './common/options.js';
import { schemaProblems } from './grants/schema.check.js';
import { changedKeyProblems, sealingKeyProblems } from './grants/sealing-keys.check.js';
import { LATE_DATA_SOURCE } from './data-source.arrival.js';
import { collisionProblems } from './route-collisions.check.js';
import { routeProblems } from './routes.check.js';
import type { UsableOptions } from './options.check.js';

const MODULE_NAME = 'WechatAuthModule';

/** What was found, and what kept the database from being asked, if anything did. */
export interface Surroundings {
  problems: readonly WechatConfigurationProblem[];
  failure?: Error;
}

/**
 * Everything besides the options that keeps the module from working: the database, keys that its rows need, accounts
 * that routes name. What depends on an unusable part of the options, or on a data source that is not there, is left out. Never rejects: what the database throws
 * must not hide the rest.
 */
export async function lookAround(
  dataSource: DataSource | 'late' | undefined,
  modules: ModulesContainer,
  usable: UsableOptions,
): Promise<Surroundings> {
  const routes = routeProblems(modules, usable.accounts);
  if (dataSource === undefined) return { problems: routes };
  if (dataSource === 'late') return { problems: [LATE_DATA_SOURCE, ...routes] };
  try {
    return { problems: [...(await databaseProblems(dataSource, usable)), ...routes] };
  } catch (error) {
    return { problems: routes, failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function databaseProblems(
  dataSource: DataSource,
  { keys }: UsableOptions,
): Promise<WechatConfigurationProblem[]> {
  const problems = await schemaProblems(dataSource);
  if (problems.length > 0 || !keys) return problems;
  return [...(await sealingKeyProblems(dataSource, keys)), ...(await changedKeyProblems(dataSource, keys))];
}

/**
 * @param known problems of which `surroundings` does not know.
 * @throws {WechatConfigurationError} naming everything that is wrong, with its cure.
 * @throws what the database threw, as it came, where nothing else is wrong: a connection that breaks off is no setting.
 */
export function refuseStart(
  known: readonly WechatConfigurationProblem[],
  { problems, failure }: Surroundings,
): never {
  const all = [...known, ...problems];
  if (!failure) throw new WechatConfigurationError(all);
  if (all.length === 0) throw failure;
  const unasked = {
    problem: `The database could not be asked for its tables and the keys of what they hold: ${failure.message}.`,
    cure: 'Mend that at the database.',
  };
  throw new WechatConfigurationError([...all, unasked], { cause: failure });
}

/** Two instances would fight for the same routes and cookies; to be asked before Nest registers routes. */
export function moduleProblems(modules: ModulesContainer): WechatConfigurationProblem[] {
  const instances = [...modules.values()].filter(({ metatype }) => metatype.name === MODULE_NAME);
  if (instances.length <= 1) return [];
  return [
    {
      problem: `${MODULE_NAME} is imported ${instances.length} times with options.`,
      cure: 'Import forRoot() or forRootAsync() once, in the root module: it is global. Several accounts go into the option accounts.',
    },
  ];
}

/**
 * Stops the start of an application whose options are right and whose surroundings are not. Comes no earlier than the
 * initialization, so that a host may run its migrations once the application is created.
 */
export class StartCheck implements OnModuleInit {
  constructor(
    private readonly dataSource: DataSource,
    private readonly modules: ModulesContainer,
    private readonly application: ApplicationConfig,
    private readonly options: ResolvedWechatAuthOptions,
  ) {}

  /**
   * To be asked before Nest registers routes: Fastify fails on two of one path, and names no cure.
   *
   * @throws {WechatConfigurationError} if the host has a route of this module's, naming everything else that is wrong too.
   */
  async beforeRoutes(): Promise<void> {
    const collisions = collisionProblems(this.modules, this.application, this.options.path);
    if (collisions.length === 0) return;
    refuseStart(collisions, await lookAround(this.dataSource, this.modules, this.options));
  }

  /** @throws {WechatConfigurationError} naming everything that is wrong, with its cure. */
  async onModuleInit(): Promise<void> {
    const surroundings = await lookAround(this.dataSource, this.modules, this.options);
    if (surroundings.problems.length > 0 || surroundings.failure) refuseStart([], surroundings);
  }
}

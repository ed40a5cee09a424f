import type { OnModuleInit } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { WechatConfigurationError, type WechatConfigurationProblem } from './common/errors.js';
import type { ResolvedWechatAuthOptions } from './common/options.js';
import { schemaProblems } from './grants/schema.check.js';
import { changedKeyProblems, sealingKeyProblems } from './grants/sealing-keys.check.js';
import { routeProblems } from './routes.check.js';
import type { UsableOptions } from './wechat-auth.options.js';

const MODULE_NAME = 'WechatAuthModule';

/**
 * Everything besides the options that keeps the module from working: the database, keys that its rows need, accounts
 * that routes name. What depends on an unusable part of the options is left out.
 *
 * @throws what the database throws, where it cannot be asked.
 */
export async function surroundingProblems(
  dataSource: DataSource,
  modules: ModulesContainer,
  { accounts, keys }: UsableOptions,
): Promise<WechatConfigurationProblem[]> {
  const problems = await schemaProblems(dataSource);
  if (keys && problems.length === 0) {
    problems.push(...(await sealingKeyProblems(dataSource, keys)));
    problems.push(...(await changedKeyProblems(dataSource, keys)));
  }
  return [...problems, ...routeProblems(modules, accounts)];
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
    private readonly options: ResolvedWechatAuthOptions,
  ) {}

  /** @throws {WechatConfigurationError} naming everything that is wrong, with its cure. */
  async onModuleInit(): Promise<void> {
    const problems = await surroundingProblems(this.dataSource, this.modules, this.options);
    if (problems.length > 0) throw new WechatConfigurationError(problems);
  }
}

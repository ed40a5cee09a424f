import type { ModulesContainer } from '@nestjs/core';
import { WechatConfigurationError } from './common/errors.js';

/**
 * Options that depend on something made anew for each request are never made at start, nor is anything that depends on
 * them. To be asked once Nest has looked up who depends on whom.
 *
 * @param optionsToken under which the factory of the options is known.
 * @throws {WechatConfigurationError} naming what the factory asks for.
 */
export function requireOptionsAtStart(optionsToken: symbol, modules: ModulesContainer): void {
  const options = [...modules.values()].map(({ providers }) => providers.get(optionsToken));
  const scoped = options.find((wrapper) => wrapper?.isDependencyTreeStatic() === false);
  if (!scoped) return;
  const names = scoped
    .getCtorMetadata()
    .filter((dependency) => !dependency.isDependencyTreeStatic())
    .map(({ token }) => (typeof token === 'function' ? token.name : String(token)));
  throw new WechatConfigurationError([
    {
      problem: `forRootAsync() injects ${names.join(' and ')}, made anew for each request, but the options are made once, at start.`,
      cure: 'Inject only what does not depend on a request (no Scope.REQUEST, no REQUEST). What depends on it can be done in the option onSignIn, which gets the request.',
    },
  ]);
}

import { MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { isAppId } from './configuration/accounts.check.js';
import type { WechatConfigurationProblem } from './common/errors.js';
import type { WechatAccount, WechatPrompt } from './common/options.js';
import type { WechatScope } from './common/wechat-user.js';
import { kindOf, Problems } from './configuration/settings.reader.js';
import { WECHAT_AUTH_REQUIREMENT, type WechatAuthRequirement } from './sign-in/wechat-auth.requirement.js';

const SCOPES: readonly WechatScope[] = ['base', 'userinfo'];
const PROMPTS: readonly WechatPrompt[] = ['explain', 'direct'];

/** What `@WechatAuth` says, and on which class or handler. */
interface MarkedPlace {
  place: string;
  requirement: WechatAuthRequirement;
}

/**
 * Finds at start, rather than at the first request, what `@WechatAuth` says wrongly: not every host is written in
 * TypeScript.
 *
 * @param modules the host's modules. Their controllers need not be made yet.
 * @param accounts those that are configured; undefined if that is not known, since they are wrong themselves.
 */
export function routeProblems(
  modules: ModulesContainer,
  accounts: readonly WechatAccount[] | undefined,
): WechatConfigurationProblem[] {
  const configured = accounts?.map(({ appId }) => appId);
  return controllersOf(modules)
    .flatMap(markedPlacesOf)
    .flatMap(({ place, requirement: { scope, prompt, account } }) => {
      const problems = new Problems();
      if (!SCOPES.includes(scope)) {
        problems.add(
          `${place}: @WechatAuth names a scope that does not exist, ${shown(scope)}.`,
          "Write @WechatAuth('base') for snsapi_base or @WechatAuth('userinfo') for snsapi_userinfo; options come second.",
        );
      }
      if (prompt !== undefined && !PROMPTS.includes(prompt)) {
        problems.add(
          `${place}: @WechatAuth names a prompt that does not exist, ${shown(prompt)}.`,
          `Choose one of: ${PROMPTS.join(', ')}.`,
        );
      }
      if (account !== undefined && configured && !configured.includes(account)) {
        problems.add(
          `${place}: @WechatAuth names an account that is not configured, ${isAppId(account) ? account : kindOf(account)}.`,
          `Name the app id of one that is, ${configured.join(' or ')}, or add it to the option accounts.`,
        );
      }
      return problems.list;
    });
}

/** @returns the value, if it is a word and so no secret. */
function shown(value: unknown): string {
  return typeof value === 'string' && /^[a-z_]{1,20}$/i.test(value) ? value : kindOf(value);
}

/** A class that several modules name counts once. */
function controllersOf(modules: ModulesContainer): Controller[] {
  const classes = new Set<unknown>();
  for (const { controllers } of modules.values()) {
    for (const { metatype } of controllers.values()) classes.add(metatype);
  }
  return [...classes].filter((metatype) => typeof metatype === 'function');
}

/** Inherited handlers count, except those that the class replaces. */
function markedPlacesOf(controller: Controller): MarkedPlace[] {
  const handlers = new MetadataScanner()
    .getAllMethodNames(controller.prototype)
    .map((name): [string, unknown] => [`${controller.name}.${name}`, controller.prototype[name]]);
  return [[controller.name, controller] as [string, unknown], ...handlers].flatMap(([place, target]) => {
    const requirement: unknown = Reflect.getMetadata(WECHAT_AUTH_REQUIREMENT, target as object);
    return requirement ? [{ place, requirement: requirement as WechatAuthRequirement }] : [];
  });
}

interface Controller {
  name: string;
  prototype: Record<string, unknown>;
}

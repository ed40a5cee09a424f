import type { ExecutionContext } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { WechatPrompt } from '../common/options.js';
import type { WechatScope } from '../common/wechat-user.js';

/** Metadata key of {@link WechatAuthRequirement}. */
export const WECHAT_AUTH_REQUIREMENT = Symbol('nestjs-wechat-auth:requirement');
/** Metadata key of `@WechatPublic()`. */
export const WECHAT_AUTH_PUBLIC = Symbol('nestjs-wechat-auth:public');

/** What `@WechatAuth` says about a route. */
export interface WechatAuthRequirement {
  scope: WechatScope;
  account?: string;
  optional?: boolean;
  prompt?: WechatPrompt;
}

/**
 * @returns what the handler's own decorator says, else its class's; undefined where neither has one. Of both
 * decorators on one target `@WechatAuth` counts: a contradiction opens nothing.
 */
export function declaredAccess(
  reflector: Reflector,
  context: ExecutionContext,
): WechatAuthRequirement | 'public' | undefined {
  for (const target of [context.getHandler(), context.getClass()]) {
    const requirement = reflector.get<WechatAuthRequirement | undefined>(WECHAT_AUTH_REQUIREMENT, target);
    if (requirement) return requirement;
    if (reflector.get<boolean | undefined>(WECHAT_AUTH_PUBLIC, target)) return 'public';
  }
  return undefined;
}

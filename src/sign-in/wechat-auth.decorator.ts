import {
  applyDecorators,
  createParamDecorator,
  type ExecutionContext,
  SetMetadata,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import type { WechatPrompt } from '../common/options.js';
import type { WechatScope, WechatUser } from '../common/wechat-user.js';
import { WechatAuthExceptionFilter } from './wechat-auth.exception.js';
import { WechatAuthGuard, type WechatRequest } from './wechat-auth.guard.js';
import {
  WECHAT_AUTH_PUBLIC,
  WECHAT_AUTH_REQUIREMENT,
  type WechatAuthRequirement,
} from './wechat-auth.requirement.js';

export interface WechatAuthRouteOptions {
  /** App id of the account to sign in to. Default: the first one. */
  account?: string;
  /** Lets everybody in and never redirects: the handler gets what is known of the user, or undefined. */
  optional?: boolean;
  /** Default: the module's `prompt`. */
  prompt?: WechatPrompt;
}

/**
 * The handler, or every handler of the controller, is for users of WeChat. A handler's decorator wins over its
 * controller's, and so does its `@WechatPublic()`.
 *
 * A page is redirected to WeChat and back; anything else gets a 401 with `application/problem+json` that says where
 * to send the page.
 *
 * @param scope `base`: the openid, silently. `userinfo`: nickname and avatar, with the user's consent.
 *
 * @example
 * @Get('me')
 * @WechatAuth('userinfo')
 * me(@CurrentWechatUser() user: WechatUser) { return user; }
 */
export function WechatAuth(
  scope: WechatScope = 'base',
  options: WechatAuthRouteOptions = {},
): MethodDecorator & ClassDecorator {
  return applyDecorators(
    SetMetadata<symbol, WechatAuthRequirement>(WECHAT_AUTH_REQUIREMENT, { scope, ...options }),
    UseGuards(WechatAuthGuard),
    UseFilters(WechatAuthExceptionFilter),
  );
}

/**
 * Exempts a handler or a controller from {@link WechatAuthGuard}: from the global guard, and a handler also from the
 * `@WechatAuth` of its controller. The handler learns nothing of the user; for that, use `@WechatAuth` with `optional`.
 */
export function WechatPublic(): MethodDecorator & ClassDecorator {
  return SetMetadata(WECHAT_AUTH_PUBLIC, true);
}

/**
 * The user of this request, as a parameter of a handler. Undefined with `optional`, where {@link WechatAuthGuard} has
 * not run, and in any handler that is not reached over HTTP.
 */
export const CurrentWechatUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): WechatUser | undefined =>
    // Elsewhere the first argument is not a request, but what a client may have sent.
    context.getType() === 'http' ? context.switchToHttp().getRequest<WechatRequest>().wechatUser : undefined,
);

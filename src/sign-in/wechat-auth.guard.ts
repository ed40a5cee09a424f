import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { WechatUser } from '../common/wechat-user.js';
import { type AccessDecision, AccessDecider } from './access.decision.js';
import { HttpExchanges } from './http-exchange.js';
import { WechatAuthException } from './wechat-auth.exception.js';
import {
  WECHAT_AUTH_PUBLIC,
  WECHAT_AUTH_REQUIREMENT,
  type WechatAuthRequirement,
} from './wechat-auth.requirement.js';

/** What a handler answers depends on the user, also where it may be nobody; the handler may say otherwise. */
const AUTHENTICATED_CACHE_CONTROL = 'private, no-store';

/**
 * Lets a request through to its handler if what is known of the user is enough for the route.
 *
 * `@WechatAuth` applies it; as a global guard (`APP_GUARD`) it asks for `base` wherever nothing else is said.
 */
@Injectable()
export class WechatAuthGuard implements CanActivate {
  /** One decision per request, however often the guard is applied: on class, handler and globally. */
  private static readonly decisions = new WeakMap<object, Promise<AccessDecision>>();

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(HttpExchanges) private readonly exchanges: HttpExchanges,
    @Inject(AccessDecider) private readonly decider: AccessDecider,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const requirement = this.reflector.getAllAndOverride<WechatAuthRequirement | undefined>(
      WECHAT_AUTH_REQUIREMENT,
      targets,
    );
    if (!requirement && this.reflector.getAllAndOverride<boolean>(WECHAT_AUTH_PUBLIC, targets)) return true;

    const request = context.switchToHttp().getRequest<{ wechatUser?: WechatUser }>();
    const exchange = this.exchanges.of(request, context.switchToHttp().getResponse());
    let decision = WechatAuthGuard.decisions.get(request);
    if (!decision) {
      decision = this.decider.decide(exchange, requirement ?? { scope: 'base' });
      WechatAuthGuard.decisions.set(request, decision);
    }
    const decided = await decision;
    if ('answer' in decided) {
      exchange.setHeadersOf(decided.answer);
      throw new WechatAuthException(decided.answer);
    }
    if (decided.user) request.wechatUser = decided.user;
    exchange.setHeader('Cache-Control', AUTHENTICATED_CACHE_CONTROL);
    return true;
  }
}

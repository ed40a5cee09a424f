import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { WechatConfigurationError } from '../common/errors.js';
import type { WechatUser } from '../common/wechat-user.js';
import { type AccessDecision, AccessDecider } from './access.decision.js';
import { HttpExchanges } from './http-exchange.js';
import { WechatAuthException } from './wechat-auth.exception.js';
import { declaredAccess, type WechatAuthRequirement } from './wechat-auth.requirement.js';

/** What a handler answers depends on the user, also where it may be nobody; the handler may say otherwise. */
const AUTHENTICATED_CACHE_CONTROL = 'private, no-store';

/** What a global guard asks for wherever nothing else is said. */
const GLOBAL_REQUIREMENT: WechatAuthRequirement = { scope: 'base' };

/** Handlers that no browser calls: Nest's gateways and microservices. */
const WITHOUT_BROWSER: readonly string[] = ['ws', 'rpc'];

/**
 * What the guard adds to the platform's request, for code that reads it there.
 *
 * @example
 * import type { Request } from 'express';
 *
 * show(@Req() request: Request & WechatRequest) { return request.wechatUser; }
 */
export interface WechatRequest {
  /** As from `@CurrentWechatUser()`. */
  wechatUser?: WechatUser | undefined;
}

interface Decided {
  decider: AccessDecider;
  requirement: WechatAuthRequirement;
  decision: Promise<AccessDecision>;
}

/**
 * Lets a request through to its handler if what is known of the user is enough for the route.
 *
 * `@WechatAuth` applies it; as a global guard (`APP_GUARD`) it asks for `base` wherever nothing else is said, except
 * on what is marked `@WechatPublic()`.
 *
 * It signs people in to HTTP routes. A WebSocket or microservice handler has no browser that could be sent to WeChat:
 * it passes a global guard untouched, so protect it otherwise. One that is marked `@WechatAuth` fails, and so does an
 * unmarked handler of any other kind, a GraphQL resolver for example, until it is marked `@WechatPublic()` or
 * `optional`; then it runs without a user.
 *
 * @throws {WechatConfigurationError} on a handler that is not reached over HTTP, as said above.
 */
@Injectable()
export class WechatAuthGuard implements CanActivate {
  /**
   * One decision per request, however often the guard is applied: on class, handler and globally. A request that
   * `next()` hands on to a route with another requirement, or to another application, is decided again.
   */
  private static readonly decided = new WeakMap<object, Decided>();

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(HttpExchanges) private readonly exchanges: HttpExchanges,
    @Inject(AccessDecider) private readonly decider: AccessDecider,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = declaredAccess(this.reflector, context);
    if (access === 'public') return true;
    if (context.getType() !== 'http') return passWithoutHttp(context, access);

    const requirement = access ?? GLOBAL_REQUIREMENT;
    const request = context.switchToHttp().getRequest<WechatRequest>();
    const exchange = this.exchanges.of(request, context.switchToHttp().getResponse());
    let decided = WechatAuthGuard.decided.get(request);
    if (decided?.decider !== this.decider || decided.requirement !== requirement) {
      decided = { decider: this.decider, requirement, decision: this.decider.decide(exchange, requirement) };
      WechatAuthGuard.decided.set(request, decided);
    }
    const decision = await decided.decision;
    if ('answer' in decision) {
      exchange.setHeadersOf(decision.answer);
      throw new WechatAuthException(decision.answer);
    }
    request.wechatUser = decision.user;
    exchange.setHeader('Cache-Control', AUTHENTICATED_CACHE_CONTROL);
    return true;
  }
}

/** @throws {WechatConfigurationError} rather than let anybody in to what looks protected. */
function passWithoutHttp(context: ExecutionContext, requirement: WechatAuthRequirement | undefined): true {
  const type: string = context.getType();
  const hasBrowser = !WITHOUT_BROWSER.includes(type);
  if (requirement?.optional || (!requirement && !hasBrowser)) return true;
  const handler = `${context.getClass().name}.${context.getHandler().name}`;
  throw new WechatConfigurationError([
    {
      problem: requirement
        ? `${handler} is marked @WechatAuth, but it is a handler of type '${type}', and only an HTTP route can send a browser to WeChat.`
        : `WechatAuthGuard is a global guard and met ${handler}, a handler of type '${type}'; it can sign people in to HTTP routes only.`,
      cure: 'Mark the handler @WechatPublic() and protect it by a guard of its own, or use @WechatAuth with optional: true, which lets everybody in without a user.',
    },
  ]);
}

import { Inject, Injectable } from '@nestjs/common';
import { WechatRandomness } from '../common/randomness.js';
import type { WechatSessionScope } from '../common/session.js';
import { cookieOptions, scopedCookieName } from './cookies.js';
import type { HttpExchange } from './http-exchange.js';

const ID_BYTES = 16;
/** As long as browsers keep a cookie at all. */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/**
 * Knows a browser again by one long-lived random id, to which every state is bound. It outlives the callback, so
 * that any number of tabs can sign in at once.
 */
@Injectable()
export class Browsers {
  constructor(@Inject(WechatRandomness) private readonly randomness: WechatRandomness) {}

  /** @returns the id the browser brought, or undefined. */
  idOf(exchange: HttpExchange, scope: WechatSessionScope): string | undefined {
    const id = exchange.cookie(browserCookieName(scope));
    return id !== undefined && /^[0-9a-f]{32}$/.test(id) ? id : undefined;
  }

  /** @returns the id the browser brought, or one that it is given now. */
  ensureId(exchange: HttpExchange, scope: WechatSessionScope): string {
    const id = this.idOf(exchange, scope) ?? this.randomness.bytes(ID_BYTES).toString('hex');
    exchange.setCookie(browserCookieName(scope), id, {
      ...cookieOptions(scope.publicUrl),
      maxAge: MAX_AGE_SECONDS,
    });
    return id;
  }

  /** Takes the id away: no callback of a sign-in that started before is accepted from this browser any more. */
  forget(exchange: HttpExchange, scope: WechatSessionScope): void {
    exchange.setCookie(browserCookieName(scope), '', { ...cookieOptions(scope.publicUrl), maxAge: 0 });
  }
}

function browserCookieName(scope: WechatSessionScope): string {
  return scopedCookieName('wechat_browser', scope);
}

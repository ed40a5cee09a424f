import { Inject, Injectable } from '@nestjs/common';
import { WechatRandomness } from '../common/randomness.js';
import type { WechatSessionScope } from '../common/session.js';
import { cookieOptions, oncePerScope, scopedCookieName } from './cookies.js';
import type { HttpExchange } from './http-exchange.js';

const ID_BYTES = 16;
/** As long as browsers keep a cookie at all. */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;
const SIGNED_OUT = 'wechat_signed_out';

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

  /**
   * Marks the browser as one whose user has signed out. Its id is taken away: no callback of a sign-in that started before
   * is accepted from this browser any more.
   */
  markSignedOut(exchange: HttpExchange, scope: WechatSessionScope, at: Date): void {
    const options = cookieOptions(scope.publicUrl);
    exchange.setCookie(browserCookieName(scope), '', { ...options, maxAge: 0 });
    exchange.setCookie(signedOutCookieName(scope), String(at.getTime()), {
      ...options,
      maxAge: MAX_AGE_SECONDS,
    });
  }

  /**
   * @returns when the user of this browser has signed out, in milliseconds since 1970; undefined if somebody has signed
   * in since, or if nobody has ever signed out. It is the browser's word, and speaks against nobody but itself.
   */
  signedOutAt(exchange: HttpExchange, scope: WechatSessionScope): number | undefined {
    // Asked at every request and hardly ever there: cookies are not parsed for it.
    if (!exchange.header('cookie')?.includes(SIGNED_OUT)) return undefined;
    const at = exchange.cookie(signedOutCookieName(scope));
    return at !== undefined && /^\d{1,15}$/.test(at) ? Number(at) : undefined;
  }

  /** Takes the mark away, if there is one. */
  unmarkSignedOut(exchange: HttpExchange, scope: WechatSessionScope): void {
    if (exchange.cookie(signedOutCookieName(scope)) === undefined) return;
    exchange.setCookie(signedOutCookieName(scope), '', { ...cookieOptions(scope.publicUrl), maxAge: 0 });
  }
}

const browserCookieName = oncePerScope((scope) => scopedCookieName('wechat_browser', scope));
const signedOutCookieName = oncePerScope((scope) => scopedCookieName(SIGNED_OUT, scope));

import { Inject, Injectable } from '@nestjs/common';
import { sha256 } from '../common/digest.js';
import { WechatRandomness } from '../common/randomness.js';
import type { WechatSessionScope } from '../common/session.js';
import { cookieName, cookieOptions, type HttpExchange } from './http-exchange.js';
import { publicUrlId } from './public-urls.js';

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
}

/** Two applications on one host, or two accounts in one application, never share a cookie. */
export function scopedCookieName(name: string, { appId, publicUrl }: WechatSessionScope): string {
  const digest = sha256(`${publicUrlId(publicUrl)} ${appId}`)
    .toString('hex')
    .slice(0, 16);
  return cookieName(`${name}_${digest}`, publicUrl);
}

function browserCookieName(scope: WechatSessionScope): string {
  return scopedCookieName('wechat_browser', scope);
}

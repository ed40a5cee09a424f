import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { Sealer } from '../common/sealer.js';
import { type WechatSession, type WechatSessionScope, WechatSessionStore } from '../common/session.js';
import { cookieOptions, scopedCookieName } from './cookies.js';
import { HttpExchanges } from './http-exchange.js';
import { publicUrlId } from './public-urls.js';
import { parseSession, sessionClaims } from './session.claims.js';

/**
 * An expired session lets nobody in, but still tells who may be asked silently: for as long as a consent of that
 * person can be live.
 */
const KEPT_AFTER_EXPIRY_MS = 30 * 24 * 60 * 60 * 1000;

/** Keeps the session in one sealed cookie: no table, no memory, the same on every instance. */
@Injectable()
export class CookieSessionStore extends WechatSessionStore {
  constructor(
    @Inject(HttpExchanges) private readonly exchanges: HttpExchanges,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(WechatClock) private readonly clock: WechatClock,
  ) {
    super();
  }

  read(request: unknown, scope: WechatSessionScope): WechatSession | undefined {
    const sealed = this.exchanges.of(request, undefined).cookie(sessionCookieName(scope));
    if (sealed === undefined) return undefined;
    try {
      return parseSession(this.sealer.open('session', audienceOf(scope), sealed));
    } catch {
      // Damaged, tampered with, or sealed with a retired key: whoever brings it signs in again.
      return undefined;
    }
  }

  write(response: unknown, session: WechatSession, scope: WechatSessionScope): void {
    const keptUntil = session.expiresAt.getTime() + KEPT_AFTER_EXPIRY_MS;
    this.exchanges
      .of(undefined, response)
      .setCookie(
        sessionCookieName(scope),
        this.sealer.seal('session', audienceOf(scope), sessionClaims(session)),
        {
          ...cookieOptions(scope.publicUrl),
          // A snapshot page's store is wiped when the page closes; its session asks for no more.
          ...(!session.snapshot && {
            maxAge: Math.round((keptUntil - this.clock.now().getTime()) / 1000),
          }),
        },
      );
  }

  clear(response: unknown, scope: WechatSessionScope): void {
    this.exchanges
      .of(undefined, response)
      .setCookie(sessionCookieName(scope), '', { ...cookieOptions(scope.publicUrl), maxAge: 0 });
  }
}

function sessionCookieName(scope: WechatSessionScope): string {
  return scopedCookieName('wechat_session', scope);
}

function audienceOf({ appId, publicUrl }: WechatSessionScope): string {
  return `session/${appId}/${publicUrlId(publicUrl)}`;
}

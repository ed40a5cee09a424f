import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { OpenedCache } from '../common/opened.cache.js';
import { Sealer } from '../common/sealer.js';
import { type WechatSession, type WechatSessionScope, WechatSessionStore } from '../common/session.js';
import { cookieOptions, oncePerScope, scopedCookieName } from './cookies.js';
import { HttpExchanges } from './http-exchange.js';
import { publicUrlId } from './public-urls.js';
import { parseSession, sessionClaims } from './session.claims.js';

/**
 * An expired session lets nobody in, but still tells who may be asked silently: for as long as a consent of that
 * person can be live.
 */
const KEPT_AFTER_EXPIRY_MS = 30 * 24 * 60 * 60 * 1000;

/**
 * A browser sends the same cookie with every request, and opening it is most of what a request costs. Only what opened
 * is kept, so nobody fills this with noise; about 1 kB each.
 */
const MAX_OPENED = 10_000;

/** Where a session belongs: the cookie's name, and the audience of its seal. */
interface Place {
  cookieName: string;
  audience: string;
}

/** Keeps the session in one sealed cookie: no table, the same on every instance. */
@Injectable()
export class CookieSessionStore extends WechatSessionStore {
  private readonly placeOf = oncePerScope<Place>((scope) => ({
    cookieName: scopedCookieName('wechat_session', scope),
    audience: `session/${scope.appId}/${publicUrlId(scope.publicUrl)}`,
  }));
  private readonly opened = new OpenedCache<WechatSession>(MAX_OPENED);

  constructor(
    @Inject(HttpExchanges) private readonly exchanges: HttpExchanges,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(WechatClock) private readonly clock: WechatClock,
  ) {
    super();
  }

  read(request: unknown, scope: WechatSessionScope): WechatSession | undefined {
    const { cookieName, audience } = this.placeOf(scope);
    const sealed = this.exchanges.of(request, undefined).cookie(cookieName);
    if (sealed === undefined) return undefined;
    return this.opened.get(audience, sealed) ?? this.open(audience, sealed);
  }

  write(response: unknown, session: WechatSession, scope: WechatSessionScope): void {
    const { cookieName, audience } = this.placeOf(scope);
    const keptUntil = session.expiresAt.getTime() + KEPT_AFTER_EXPIRY_MS;
    this.exchanges
      .of(undefined, response)
      .setCookie(cookieName, this.sealer.seal('session', audience, sessionClaims(session)), {
        ...cookieOptions(scope.publicUrl),
        // A snapshot page's store is wiped when the page closes; its session asks for no more.
        ...(!session.snapshot && {
          maxAge: Math.round((keptUntil - this.clock.now().getTime()) / 1000),
        }),
      });
  }

  clear(response: unknown, scope: WechatSessionScope): void {
    this.exchanges
      .of(undefined, response)
      .setCookie(this.placeOf(scope).cookieName, '', { ...cookieOptions(scope.publicUrl), maxAge: 0 });
  }

  private open(audience: string, sealed: string): WechatSession | undefined {
    try {
      const session = parseSession(this.sealer.open('session', audience, sealed));
      this.opened.set(audience, sealed, session);
      return session;
    } catch {
      // Damaged, tampered with, or sealed with a retired key: whoever brings it signs in again.
      return undefined;
    }
  }
}

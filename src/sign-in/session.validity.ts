import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import type { WechatSession, WechatSessionScope } from '../common/session.js';
import { Revocations } from '../grants/revocations.js';
import { Browsers } from './browser.js';
import type { HttpExchange } from './http-exchange.js';

/** Tells what a session that a browser brings is worth. Asks no database. */
@Injectable()
export class SessionValidity {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(Revocations) private readonly revocations: Revocations,
    @Inject(Browsers) private readonly browsers: Browsers,
  ) {}

  /** Whether the session lets its user in. */
  isLive(
    session: WechatSession | null | undefined,
    exchange: HttpExchange,
    scope: WechatSessionScope,
  ): session is WechatSession {
    if (!session || this.hasExpired(session)) return false;
    return !this.isOver(session, exchange, scope);
  }

  /**
   * A session lasts no longer than the setting says today, whatever it was when the session was issued: a revocation of
   * all sessions of a user is kept for just that long.
   */
  private hasExpired({ issuedAt, expiresAt }: WechatSession): boolean {
    const nowMs = this.clock.now().getTime();
    return nowMs >= expiresAt.getTime() || nowMs >= issuedAt.getTime() + this.options.sessionMaxAgeMs;
  }

  /** Whether the session was ended: its user has signed out, or was forgotten. */
  isOver(session: WechatSession, exchange: HttpExchange, scope: WechatSessionScope): boolean {
    // The mark also ends a session that another tab was getting just then, of which the sign-out did not know.
    return this.isBeforeSignOut(session, exchange, scope) || this.revocations.isRevoked(session);
  }

  /** Whether something comes from before the last sign-out of this browser. */
  isBeforeSignOut(
    { issuedAt }: { issuedAt: Date },
    exchange: HttpExchange,
    scope: WechatSessionScope,
  ): boolean {
    const signedOutAt = this.browsers.signedOutAt(exchange, scope);
    return signedOutAt !== undefined && issuedAt.getTime() <= signedOutAt;
  }

  /** Whether nobody is to be signed in here silently: the browser has signed out, or brings a session that was ended. */
  hasLeft(
    session: WechatSession | null | undefined,
    exchange: HttpExchange,
    scope: WechatSessionScope,
  ): boolean {
    const hasSignedOut = this.browsers.signedOutAt(exchange, scope) !== undefined;
    const isRevoked = session ? this.revocations.isRevoked(session) : false;
    return (hasSignedOut || isRevoked) && !this.isLive(session, exchange, scope);
  }
}

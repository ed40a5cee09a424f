import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import type { WechatSession, WechatSessionScope } from '../common/session.js';
import type { WechatScope } from '../common/wechat-user.js';
import { GrantRepository } from '../grants/grant.repository.js';
import { isConsentLive } from '../grants/grant.standing.js';
import { cookieOptions, oncePerScope, scopedCookieName } from './cookies.js';
import type { Answer, HttpExchange } from './http-exchange.js';
import { isPageNavigation, isWechatBrowser } from './page-navigation.js';
import type { SignInRequest } from './sign-in.request.js';
import { SignInStarter } from './sign-in.starter.js';
import type { SignInTicket } from './ticket.js';

/** After an attempt that brought no new session, the old one is left alone for so long, in milliseconds. */
const RETRY_AFTER_MS = 24 * 60 * 60 * 1000;
/** As long as browsers keep a cookie at all. */
const MAX_AGE_SECONDS = 400 * 24 * 60 * 60;

/**
 * Signs in again silently, once a day, on a page inside WeChat: a phone changes hands, and WeChat's account on it may be
 * another one by now. Whoever is let in stays so, whatever comes of it.
 *
 * A cookie says when that was last begun. It is written when the browser leaves, since an attempt may never come back.
 */
@Injectable()
export class Reverification {
  private readonly logger = new Logger(Reverification.name);

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(GrantRepository) private readonly grants: GrantRepository,
    @Inject(SignInStarter) private readonly starter: SignInStarter,
  ) {}

  /** Whether it is time, for a session that is live. Asks no database, and of a young session nothing at all. */
  isDue(session: WechatSession, exchange: HttpExchange, scope: WechatSessionScope): boolean {
    const nowMs = this.clock.now().getTime();
    if (nowMs < session.issuedAt.getTime() + this.options.sessionReverifyAfterMs) return false;
    if (session.snapshot || !isPageNavigation(exchange) || !isWechatBrowser(exchange)) return false;
    const failedAt = this.lastFailureAt(session, exchange, scope);
    return failedAt === undefined || nowMs >= failedAt + RETRY_AFTER_MS;
  }

  /** @returns the way to WeChat; undefined if there is none just now, and the page is to be shown. */
  async start(
    session: WechatSession,
    exchange: HttpExchange,
    request: SignInRequest,
  ): Promise<Answer | undefined> {
    try {
      const goal = await this.goal(session, exchange, request);
      const answer = await this.starter.start(exchange, { ...request, goal, renewal: true });
      this.noteAttempt(exchange, request);
      return answer;
    } catch (error) {
      // Whoever has a session needs no database.
      this.logger.warn(
        `Who is signed in is not found out anew just now: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    }
  }

  /** Notes that the browser is sent to WeChat now although its session is live. */
  noteAttempt(exchange: HttpExchange, scope: WechatSessionScope): void {
    exchange.setCookie(attemptCookieName(scope), String(this.clock.now().getTime()), {
      ...cookieOptions(scope.publicUrl),
      maxAge: MAX_AGE_SECONDS,
    });
  }

  /** Whether the browser has kept the note of an attempt whose ticket it brings. */
  isNoted({ issuedAt }: SignInTicket, exchange: HttpExchange, scope: WechatSessionScope): boolean {
    return (this.lastAttemptAt(exchange, scope) ?? -Infinity) >= issuedAt.getTime();
  }

  /**
   * With a consent a userinfo authorization, which is silent then and brings a pair that reads the profile. One that came
   * to nothing was perhaps not silent: whoever had the phone was asked for a consent of their own.
   */
  private async goal(
    session: WechatSession,
    exchange: HttpExchange,
    scope: WechatSessionScope,
  ): Promise<WechatScope> {
    // First, since it fails where the database is down, and so would whatever comes of the attempt.
    const grant = await this.grants.find(session);
    if (this.lastFailureAt(session, exchange, scope) !== undefined) return 'base';
    if (!grant || !isConsentLive(grant, this.clock.now())) return 'base';
    // Whose consent ends soon is asked on userinfo pages, and not oftener than there. So is whose profile WeChat has
    // refused to this pair: perhaps the consent was taken back.
    return grant.consentNotice === null && grant.pairAbility !== 'unable' ? 'userinfo' : 'base';
  }

  /** @returns when an attempt was last begun of which no new session has come, in milliseconds since 1970. */
  private lastFailureAt(
    { issuedAt }: WechatSession,
    exchange: HttpExchange,
    scope: WechatSessionScope,
  ): number | undefined {
    const at = this.lastAttemptAt(exchange, scope);
    return at !== undefined && at >= issuedAt.getTime() ? at : undefined;
  }

  /** In milliseconds since 1970. It is the browser's word, and about nobody but itself. */
  private lastAttemptAt(exchange: HttpExchange, scope: WechatSessionScope): number | undefined {
    const at = exchange.cookie(attemptCookieName(scope));
    return at !== undefined && /^\d{1,15}$/.test(at) ? Number(at) : undefined;
  }
}

const attemptCookieName = oncePerScope((scope) => scopedCookieName('wechat_reverification', scope));

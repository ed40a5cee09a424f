import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import {
  type ResolvedWechatAuthOptions,
  WECHAT_AUTH_OPTIONS,
  type WechatAccount,
} from '../common/options.js';
import { type WechatSession, WechatSessionStore } from '../common/session.js';
import { Authorization } from './authorization.js';
import { Browsers } from './browser.js';
import { CallbackFailures } from './callback.failures.js';
import { type ExchangeClaim, ExchangeClaims } from './exchange.claims.js';
import type { Answer, HttpExchange } from './http-exchange.js';
import { waitPage } from './pages/sign-in.pages.js';
import { PublicUrls } from './public-urls.js';
import { Reverification } from './reverification.js';
import { SessionValidity } from './session.validity.js';
import { SignInCompletion } from './sign-in.completion.js';
import { type SignInRequest, SignInRequests } from './sign-in.request.js';
import { States } from './state.js';
import { type SignInTicket, SignInTickets } from './ticket.js';
import { WechatAuthorizationError } from './wechat-authorization.error.js';

/** Longer than any code of WeChat's. */
const MAX_CODE_LENGTH = 512;

/** A callback whose ticket is ours. */
interface Callback {
  exchange: HttpExchange;
  ticket: SignInTicket;
  sealedTicket: string;
  account: WechatAccount;
  request: SignInRequest;
  state: string | undefined;
  browserId: string | undefined;
}

/** A callback that came back to the browser it belongs to. */
interface VerifiedCallback extends Callback {
  code: string;
  state: string;
  browserId: string;
}

/**
 * Answers the redirect URI, whatever arrives there: a code and the browser it belongs to, a refusal, an old link, the
 * same callback once more.
 */
@Injectable()
export class CallbackHandler {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatSessionStore) private readonly sessions: WechatSessionStore,
    @Inject(SessionValidity) private readonly validity: SessionValidity,
    @Inject(Reverification) private readonly reverification: Reverification,
    @Inject(ExchangeClaims) private readonly claims: ExchangeClaims,
    @Inject(Authorization) private readonly authorization: Authorization,
    @Inject(Browsers) private readonly browsers: Browsers,
    @Inject(States) private readonly states: States,
    @Inject(SignInTickets) private readonly tickets: SignInTickets,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
    @Inject(SignInRequests) private readonly requests: SignInRequests,
    @Inject(SignInCompletion) private readonly completion: SignInCompletion,
    @Inject(CallbackFailures) private readonly failures: CallbackFailures,
  ) {}

  async handle(exchange: HttpExchange): Promise<Answer> {
    const callback = this.open(exchange);
    if (!callback) {
      const publicUrl = this.publicUrls.of(exchange) ?? this.options.publicUrls[0];
      const error = new WechatAuthorizationError(
        'invalid_ticket',
        'A callback came without a ticket of this application, or with a damaged one.',
      );
      return this.failures.answer(error, exchange, this.requests.read(exchange, publicUrl), 1);
    }
    try {
      return withOwnFragment(await this.handleOpened(callback));
    } catch (error) {
      return withOwnFragment(
        await this.failures.answer(error, exchange, callback.request, callback.ticket.attempt),
      );
    }
  }

  private open(exchange: HttpExchange): Callback | undefined {
    const sealedTicket = exchange.query('t');
    const ticket = this.tickets.open(sealedTicket);
    const publicUrl = ticket && this.publicUrls.byId(ticket.publicUrlId);
    const account = this.options.accounts.find(({ appId }) => appId === ticket?.appId);
    if (sealedTicket === undefined || !ticket || !publicUrl || !account) return undefined;
    const { appId, goal, prompt, returnPath } = ticket;
    // A browser that has not kept the note might be sent away by the same page again.
    const renewal = ticket.renewal && this.reverification.isNoted(ticket, exchange, { appId, publicUrl });
    // Whoever has signed out since has not asked for this any more.
    const asked = ticket.asked && !this.validity.isBeforeSignOut(ticket, exchange, { appId, publicUrl });
    const request: SignInRequest = { appId, publicUrl, goal, prompt, returnPath, asked, renewal };
    const browserId = this.browsers.idOf(exchange, request);
    return { exchange, ticket, sealedTicket, account, request, state: exchange.query('state'), browserId };
  }

  private async handleOpened(callback: Callback): Promise<Answer> {
    const { exchange, state, browserId, sealedTicket, ticket } = callback;
    const code = exchange.query('code');
    if (!code && !state) {
      throw new WechatAuthorizationError('invalid_ticket', 'A callback carries neither a code nor a state.');
    }
    if (!code || code.toLowerCase() === 'authdeny') {
      throw new WechatAuthorizationError('access_denied', 'The user refused, or closed the consent screen.');
    }
    const isOurs = state !== undefined && browserId !== undefined && code.length <= MAX_CODE_LENGTH;
    if (!isOurs || !this.states.verify(state, sealedTicket, browserId)) {
      await this.claims.burn(code, ticket.appId);
      throw new WechatAuthorizationError(
        'invalid_state',
        'A callback came to a browser that did not start it, or that has lost its cookie.',
      );
    }
    return this.handleVerified({ ...callback, code, state, browserId });
  }

  /**
   * The first hit of a state does the work; every other gets what the first one got.
   *
   * @param claimed what is claimed for the hit: its state, unless a snapshot page has had that.
   */
  private async handleVerified(callback: VerifiedCallback, claimed = callback.state): Promise<Answer> {
    const { ticket, code, state, browserId } = callback;
    let outcome = await this.claims.outcomeOf(claimed);
    if (outcome === 'unknown' && !this.tickets.isExpired(ticket)) {
      const subject = { appId: ticket.appId, scope: ticket.scope, state: claimed, code, browserId };
      if (await this.claims.isGoingInCircles(subject)) return this.leaveCircle(callback);
      const claim = await this.claims.take(subject);
      if (claim) return this.exchange(claim, callback);
      // Somebody was faster, or the code was seen elsewhere before.
      outcome = await this.claims.outcomeOf(claimed);
    }
    if (
      typeof outcome === 'object' &&
      !this.validity.isOver(outcome.session, callback.exchange, callback.request)
    ) {
      // A virtual user is not the end: WeChat's 使用完整服务 comes with the same state, and a code of the real one.
      const isFullService = claimed === state && outcome.session.snapshot && !outcome.isOf(code);
      return isFullService
        ? this.handleVerified(callback, `${state}/full-service`)
        : this.finish(callback, outcome.session);
    }
    if (outcome === 'pending') return waitPage();
    await this.claims.burn(code, ticket.appId);
    throw new WechatAuthorizationError(
      'invalid_state',
      'A callback is too old, or its code was used before.',
    );
  }

  /** Many tabs that sign in at once look like a circle, but they leave a session behind. */
  private async leaveCircle(callback: VerifiedCallback): Promise<Answer> {
    const { exchange, request, ticket } = callback;
    const session = await this.sessions.read(exchange.request, request);
    const isLive = this.validity.isLive(session, exchange, request);
    if (isLive && !session.snapshot && session.issuedAt > ticket.issuedAt) {
      return this.finish(callback, session);
    }
    throw new WechatAuthorizationError(
      'too_many_attempts',
      'A browser signs in over and over; it may not keep its session.',
    );
  }

  private async exchange(claim: ExchangeClaim, callback: VerifiedCallback): Promise<Answer> {
    const { exchange, ticket, account, sealedTicket, browserId, code, state } = callback;
    let session: WechatSession;
    try {
      const requestedAt = this.clock.now();
      const tokens = await this.authorization.exchange(
        ticket.appId,
        { query: { code, state }, sealedTicket, browserId },
        { callbackURL: '', scope: ticket.scope },
      );
      session = await this.completion.complete(account, ticket.scope, tokens, requestedAt, exchange.request);
    } catch (error) {
      await claim.giveUp();
      throw error;
    }
    if (await claim.complete(session)) return this.finish(callback, session);
    throw new WechatAuthorizationError('invalid_state', 'A sign-in took so long that it was given up.');
  }

  private async finish(callback: Callback, session: WechatSession): Promise<Answer> {
    const { exchange, ticket, request } = callback;
    const current = await this.sessions.read(exchange.request, request);
    const isLive = this.validity.isLive(current, exchange, request);
    if (!isLive || !this.outranks(current, session)) {
      await this.sessions.write(exchange.response, session, request);
    }
    this.browsers.unmarkSignedOut(exchange, request);
    const isThere = ticket.scope === ticket.goal || session.snapshot;
    const url = isThere
      ? request.publicUrl.origin + request.returnPath
      : this.requests.url('sign-in', request);
    return { kind: 'redirect', status: 303, url };
  }

  /** Whether a live session that the browser has already is to be kept: a newer one, or a real one over a snapshot's. */
  private outranks(current: WechatSession, next: WechatSession): boolean {
    if (current.snapshot !== next.snapshot) return next.snapshot;
    return current.issuedAt > next.issuedAt;
  }
}

/**
 * A redirect without a fragment inherits the one before, and `#wechat_redirect` would end up in the host's address,
 * in the way of its hash router.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.2.2
 */
function withOwnFragment(answer: Answer): Answer {
  if (answer.kind !== 'redirect' || answer.url.includes('#')) return answer;
  return { ...answer, url: `${answer.url}#` };
}

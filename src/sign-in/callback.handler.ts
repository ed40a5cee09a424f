import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { sha256 } from '../common/digest.js';
import {
  type ResolvedWechatAuthOptions,
  WECHAT_AUTH_OPTIONS,
  type WechatAccount,
} from '../common/options.js';
import { WechatRandomness } from '../common/randomness.js';
import { Sealer } from '../common/sealer.js';
import { type WechatSession, WechatSessionStore } from '../common/session.js';
import { SignInRepository } from '../grants/sign-in.repository.js';
import type { WechatSignIn } from '../grants/wechat-sign-in.entity.js';
import { Authorization } from './authorization.js';
import { Browsers } from './browser.js';
import { CallbackFailures } from './callback.failures.js';
import type { Answer, HttpExchange } from './http-exchange.js';
import { accessDeniedPage, invalidTicketPage, tooManyAttemptsPage, waitPage } from './pages/sign-in.pages.js';
import { PublicUrls } from './public-urls.js';
import { parseSession, sessionClaims } from './session.claims.js';
import { SignInCompletion } from './sign-in.completion.js';
import { type SignInRequest, SignInRequests } from './sign-in.request.js';
import { SignInStarter } from './sign-in.starter.js';
import { States } from './state.js';
import { type SignInTicket, SignInTickets } from './ticket.js';

/** How long an outcome serves further hits of its callback, and how long a code is remembered. */
const REMEMBERED_MS = 15 * 60 * 1000;
/** How long an exchange may take before others may give it up. */
const LEASE_MS = 30_000;
const LEASE_RENEWAL_MS = 10_000;
/** A second hit waits this often and this long for the first one's outcome: 5 s in all. */
const WAIT_ROUNDS = 20;
const WAIT_ROUND_MS = 250;
/** A browser that completes more sign-ins than this in a minute is going in circles. */
const MAX_COMPLETED_PER_MINUTE = 2;
const MINUTE_MS = 60_000;
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
 * Answers the redirect URI: makes sure that one state leads to one exchange and one session, however often, in
 * whatever order and on whichever instance its callbacks arrive.
 */
@Injectable()
export class CallbackHandler {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatRandomness) private readonly randomness: WechatRandomness,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(WechatSessionStore) private readonly sessions: WechatSessionStore,
    @Inject(SignInRepository) private readonly signIns: SignInRepository,
    @Inject(Authorization) private readonly authorization: Authorization,
    @Inject(Browsers) private readonly browsers: Browsers,
    @Inject(States) private readonly states: States,
    @Inject(SignInTickets) private readonly tickets: SignInTickets,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
    @Inject(SignInRequests) private readonly requests: SignInRequests,
    @Inject(SignInStarter) private readonly starter: SignInStarter,
    @Inject(SignInCompletion) private readonly completion: SignInCompletion,
    @Inject(CallbackFailures) private readonly failures: CallbackFailures,
  ) {}

  async handle(exchange: HttpExchange): Promise<Answer> {
    const callback = this.open(exchange);
    if (!callback) {
      const publicUrl = this.publicUrls.of(exchange) ?? this.options.publicUrls[0];
      return invalidTicketPage(this.publicUrls.startPage(publicUrl));
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
    const { appId, goal, prompt, returnPath, asked } = ticket;
    const request: SignInRequest = { appId, publicUrl, goal, prompt, returnPath, asked };
    const browserId = this.browsers.idOf(exchange, request);
    return { exchange, ticket, sealedTicket, account, request, state: exchange.query('state'), browserId };
  }

  private async handleOpened(callback: Callback): Promise<Answer> {
    const code = callback.exchange.query('code');
    if (!code || code.toLowerCase() === 'authdeny') {
      const { request } = callback;
      return accessDeniedPage(this.starter.retryUrl(request), this.publicUrls.startPage(request.publicUrl));
    }
    const { state, browserId, sealedTicket } = callback;
    const isOurs = state !== undefined && browserId !== undefined && code.length <= MAX_CODE_LENGTH;
    if (!isOurs || !this.states.verify(state, sealedTicket, browserId)) {
      // A shared link, or a browser that lost its cookie.
      await this.burn(code, callback);
      return this.restart(callback);
    }
    const verified = { ...callback, code, state, browserId };
    const earlier = await this.signIns.findByState(sha256(state));
    return earlier ? this.follow(earlier, verified) : this.lead(verified);
  }

  /** The first hit of a state does the work. */
  private async lead(callback: VerifiedCallback): Promise<Answer> {
    const { ticket, request, code, state, browserId } = callback;
    if (this.tickets.isExpired(ticket)) {
      await this.burn(code, callback);
      return this.restart(callback);
    }
    const browserDigest = sha256(browserId);
    if (await this.isGoingInCircles(browserDigest, ticket)) {
      return tooManyAttemptsPage(this.starter.retryUrl(request));
    }
    const id = this.newId();
    const stateDigest = sha256(state);
    const claimed = await this.signIns.claim({
      id,
      stateDigest,
      codeDigest: sha256(code),
      browserDigest,
      appId: ticket.appId,
      scope: ticket.scope,
      leaseExpiresAt: this.fromNow(LEASE_MS),
      expiresAt: this.fromNow(REMEMBERED_MS),
    });
    if (claimed) return this.exchange(id, callback);
    const faster = await this.signIns.findByState(stateDigest);
    // Without one, it is the code that was here before: somebody else has had it.
    return faster ? this.follow(faster, callback) : this.restart(callback);
  }

  /** Every other hit of a state gets what the first one got. */
  private async follow(row: WechatSignIn | null, callback: VerifiedCallback): Promise<Answer> {
    for (let round = 0; row && round < WAIT_ROUNDS; round++) {
      const now = this.clock.now();
      if (row.sealedOutcome !== null && now < row.expiresAt) {
        const audience = outcomeAudience(callback.state);
        const session = parseSession(this.sealer.open('outcome', audience, row.sealedOutcome));
        return this.finish(callback, session);
      }
      if (row.leaseExpiresAt === null || now >= row.leaseExpiresAt) break;
      await sleep(WAIT_ROUND_MS);
      row = await this.signIns.findByState(sha256(callback.state));
      if (round === WAIT_ROUNDS - 1) return waitPage();
    }
    await this.burn(callback.code, callback);
    return this.restart(callback);
  }

  private async exchange(id: string, callback: VerifiedCallback): Promise<Answer> {
    const { exchange, ticket, account, sealedTicket, browserId, code, state } = callback;
    const renewal = setInterval(() => {
      // If it fails, the lease runs out, and the completion finds that out.
      this.signIns.renewLease(id, this.clock.now(), this.fromNow(LEASE_MS)).catch(() => undefined);
    }, LEASE_RENEWAL_MS);
    try {
      const requestedAt = this.clock.now();
      const tokens = await this.authorization.exchange(
        ticket.appId,
        { query: { code, state }, sealedTicket, browserId },
        { callbackURL: '', scope: ticket.scope },
      );
      const session = await this.completion.complete(
        account,
        ticket.scope,
        tokens,
        requestedAt,
        exchange.request,
      );
      const completed = await this.signIns.complete(id, {
        openid: session.snapshot ? null : session.openid,
        sealedOutcome: this.sealer.seal('outcome', outcomeAudience(state), sessionClaims(session)),
        completedAt: this.clock.now(),
        expiresAt: this.fromNow(REMEMBERED_MS),
      });
      return completed ? await this.finish(callback, session) : await this.restart(callback);
    } catch (error) {
      // The failure is what the user must hear of, also when the claim cannot be given up.
      await this.signIns.release(id, this.clock.now()).catch(() => undefined);
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }

  private async finish(callback: Callback, session: WechatSession): Promise<Answer> {
    const { exchange, ticket, request } = callback;
    const current = await this.sessions.read(exchange.request, request);
    if (!current || !this.outranks(current, session)) {
      await this.sessions.write(exchange.response, session, request);
    }
    const isThere = ticket.scope === ticket.goal || session.snapshot;
    const url = isThere
      ? request.publicUrl.origin + request.returnPath
      : this.requests.url('sign-in', request);
    return { kind: 'redirect', status: 303, url };
  }

  /** Whether a session that the browser has already is to be kept: a newer one, or a real one over a snapshot's. */
  private outranks(current: WechatSession, next: WechatSession): boolean {
    if (this.clock.now() >= current.expiresAt) return false;
    if (current.snapshot !== next.snapshot) return next.snapshot;
    return current.issuedAt > next.issuedAt;
  }

  private restart({ exchange, request, ticket }: Callback): Promise<Answer> {
    return this.starter.start(exchange, request, ticket.attempt + 1);
  }

  private burn(code: string, { ticket }: Callback): Promise<void> {
    return this.signIns.rememberCode({
      id: this.newId(),
      codeDigest: sha256(code),
      appId: ticket.appId,
      expiresAt: this.fromNow(REMEMBERED_MS),
    });
  }

  private async isGoingInCircles(browserDigest: Buffer, { appId, scope }: SignInTicket): Promise<boolean> {
    const since = this.fromNow(-MINUTE_MS);
    const completed = await this.signIns.countCompleted(browserDigest, appId, scope, since);
    return completed >= MAX_COMPLETED_PER_MINUTE;
  }

  private fromNow(ms: number): Date {
    return new Date(this.clock.now().getTime() + ms);
  }

  private newId(): string {
    const hex = this.randomness.bytes(16).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
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

/** An outcome opens only for the state that it came of. */
function outcomeAudience(state: string): string {
  return `outcome/${sha256(state).toString('hex')}`;
}

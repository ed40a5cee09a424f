import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatError } from '../common/errors.js';
import type { WechatErrorClass } from '../protocol/error-code.entry.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';
import type { Answer, HttpExchange } from './http-exchange.js';
import {
  accessDeniedPage,
  consentEndedPage,
  invalidTicketPage,
  misconfiguredPage,
  rejectedPage,
  tooManyAttemptsPage,
  unavailablePage,
} from './pages/sign-in.pages.js';
import { PublicUrls } from './public-urls.js';
import type { SignInRequest } from './sign-in.request.js';
import { SignInStarter } from './sign-in.starter.js';
import { WechatAuthorizationError } from './wechat-authorization.error.js';

/** A further try, or the page that the user gets. */
type Remedy =
  | 'restart'
  | 'access-denied'
  | 'invalid-ticket'
  | 'too-many-attempts'
  | 'unavailable'
  | 'misconfigured'
  | 'rejected'
  | 'consent-ended';

/** What the user gets when WeChat refuses the exchange of a code, by the class of the refusal. */
const REMEDIES: Record<WechatErrorClass | 'unknown', Remedy> = {
  code: 'restart',
  transient: 'unavailable',
  quota: 'unavailable',
  unknown: 'unavailable',
  token: 'misconfigured',
  consent: 'misconfigured',
  configuration: 'misconfigured',
  usage: 'misconfigured',
  user: 'rejected',
};

/** The one place where a failed callback turns into what the user sees and what the log says. */
@Injectable()
export class CallbackFailures {
  private readonly logger = new Logger(CallbackFailures.name);

  constructor(
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
    @Inject(SignInStarter) private readonly starter: SignInStarter,
  ) {}

  async answer(
    error: unknown,
    exchange: HttpExchange,
    request: SignInRequest,
    attempt: number,
  ): Promise<Answer> {
    const remedy = remedyOf(error, attempt);
    this.log(error, remedy);
    // Whoever was let in anyway goes on.
    if (request.renewal) {
      return { kind: 'redirect', status: 303, url: request.publicUrl.origin + request.returnPath };
    }
    if (remedy !== 'restart') return this.page(remedy, request);
    try {
      return await this.starter.start(exchange, request, attempt + 1);
    } catch (startError) {
      const startRemedy = remedyOf(startError, attempt + 1);
      this.log(startError, startRemedy);
      return this.page(startRemedy === 'restart' ? 'unavailable' : startRemedy, request);
    }
  }

  private page(remedy: Exclude<Remedy, 'restart'>, request: SignInRequest): Answer {
    const retryUrl = this.starter.retryUrl(request);
    const startUrl = this.publicUrls.startPage(request.publicUrl);
    switch (remedy) {
      case 'access-denied':
        return accessDeniedPage(retryUrl, startUrl);
      case 'invalid-ticket':
        return invalidTicketPage(startUrl);
      case 'too-many-attempts':
        return tooManyAttemptsPage(retryUrl);
      case 'unavailable':
        return unavailablePage(retryUrl);
      case 'misconfigured':
        return misconfiguredPage(retryUrl);
      case 'rejected':
        return rejectedPage();
      case 'consent-ended':
        return consentEndedPage(retryUrl);
    }
  }

  private log(error: unknown, remedy: Remedy): void {
    const cause = error instanceof WechatAuthorizationError ? (error.cause ?? error) : error;
    const text = `A sign-in ended (${remedy}): ${cause instanceof Error ? cause.message : String(cause)}`;
    // What is not an error of ours is a fault, and its stack says whose.
    if (!(cause instanceof WechatError)) {
      this.logger.error(text, cause instanceof Error ? cause.stack : undefined);
    } else this.logger[LOG_LEVELS[remedy]](text);
  }
}

/** What happens every day, with nobody at fault, is for debugging only. */
const LOG_LEVELS = {
  restart: 'debug',
  'access-denied': 'debug',
  'invalid-ticket': 'debug',
  'too-many-attempts': 'warn',
  unavailable: 'warn',
  misconfigured: 'error',
  rejected: 'warn',
  'consent-ended': 'warn',
} as const satisfies Record<Remedy, keyof Logger>;

function remedyOf(error: unknown, attempt: number): Remedy {
  if (error instanceof WechatResponseError) return REMEDIES[error.class];
  if (!(error instanceof WechatAuthorizationError)) return 'unavailable';
  switch (error.code) {
    case 'access_denied':
      return 'access-denied';
    case 'invalid_ticket':
      return 'invalid-ticket';
    case 'invalid_state':
      return 'restart';
    case 'too_many_attempts':
      return 'too-many-attempts';
    case 'sign_in_rejected':
      return 'rejected';
    case 'consent_ended':
      // Once may be a consent that ended in this very moment; twice is WeChat's final word.
      return attempt === 1 ? 'restart' : 'consent-ended';
  }
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatError } from '../common/errors.js';
import type { WechatErrorClass } from '../protocol/error-code.entry.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';
import type { Answer, HttpExchange } from './http-exchange.js';
import { consentEndedPage, misconfiguredPage, rejectedPage, unavailablePage } from './pages/sign-in.pages.js';
import type { SignInRequest } from './sign-in.request.js';
import { SignInStarter } from './sign-in.starter.js';
import { WechatAuthorizationError } from './wechat-authorization.error.js';

type Remedy = 'restart' | 'unavailable' | 'misconfigured' | 'rejected' | 'consent-ended';

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

  constructor(@Inject(SignInStarter) private readonly starter: SignInStarter) {}

  async answer(
    error: unknown,
    exchange: HttpExchange,
    request: SignInRequest,
    attempt: number,
  ): Promise<Answer> {
    const remedy = remedyOf(error, attempt);
    this.log(error, remedy);
    if (remedy !== 'restart') return this.page(remedy, request);
    try {
      return await this.starter.start(exchange, request, attempt + 1);
    } catch (startError) {
      this.log(startError, 'unavailable');
      return this.page('unavailable', request);
    }
  }

  private page(remedy: Exclude<Remedy, 'restart'>, request: SignInRequest): Answer {
    const retryUrl = this.starter.retryUrl(request);
    switch (remedy) {
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
    const text = cause instanceof Error ? cause.message : String(cause);
    if (remedy === 'restart') this.logger.debug(`A sign-in starts again: ${text}`);
    // What is not an error of ours is a fault, and its stack says whose.
    else if (!(cause instanceof WechatError)) {
      this.logger.error(`A sign-in failed: ${text}`, cause instanceof Error ? cause.stack : undefined);
    } else if (remedy === 'misconfigured') this.logger.error(`A sign-in failed: ${text}`);
    else this.logger.warn(`A sign-in failed: ${text}`);
  }
}

function remedyOf(error: unknown, attempt: number): Remedy {
  if (error instanceof WechatResponseError) return REMEDIES[error.class];
  if (error instanceof WechatAuthorizationError) {
    // Once may be a consent that ended in this very moment; twice is WeChat's final word.
    if (error.code === 'consent_ended') return attempt === 1 ? 'restart' : 'consent-ended';
    if (error.code === 'sign_in_rejected') return 'rejected';
    return 'restart';
  }
  return 'unavailable';
}

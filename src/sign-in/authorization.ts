import { Inject, Injectable } from '@nestjs/common';
import passport from 'passport';
import { InternalOAuthError } from 'passport-oauth2';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { WechatClient, type WechatTokenResponse } from '../protocol/wechat.client.js';
import { WechatAuthorizationError } from './wechat-authorization.error.js';
import { States } from './state.js';
import type { StrategyOptions, StrategyRequest } from './strategy.request.js';
import { WechatStrategy } from './wechat.strategy.js';

type Result = { redirectUrl: string } | { tokens: WechatTokenResponse };

/**
 * Runs the Passport strategy of each account and hands back what came of it.
 *
 * The `passport` singleton is shared by every application in a process, so this instance has a Passport of its
 * own. Passport wants a request and a response in Express's manner: it gets two small ones, so that it neither
 * depends on the platform nor adds anything to the host's request.
 */
@Injectable()
export class Authorization {
  private readonly passport = new passport.Passport();

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) options: ResolvedWechatAuthOptions,
    @Inject(WechatClient) client: WechatClient,
    @Inject(States) states: States,
  ) {
    for (const { appId } of options.accounts) {
      this.passport.use(appId, new WechatStrategy(appId, client, states));
    }
  }

  /** @returns the address at WeChat that the browser goes to next. */
  async start(appId: string, request: StrategyRequest, options: StrategyOptions): Promise<string> {
    const result = await this.authenticate(appId, request, options);
    if ('redirectUrl' in result) return result.redirectUrl;
    throw new WechatAuthorizationError('invalid_state', 'A sign-in was started with a code in its request.');
  }

  /**
   * @returns the tokens that the request's code was exchanged for.
   * @throws {WechatResponseError} if WeChat refuses the code or gives no good answer.
   */
  async exchange(
    appId: string,
    request: StrategyRequest,
    options: StrategyOptions,
  ): Promise<WechatTokenResponse> {
    const result = await this.authenticate(appId, request, options);
    if ('tokens' in result) return result.tokens;
    throw new WechatAuthorizationError('invalid_state', 'A callback without a code reached the exchange.');
  }

  private authenticate(appId: string, request: StrategyRequest, options: StrategyOptions): Promise<Result> {
    return new Promise((resolve, reject) => {
      let location = '';
      const response = {
        statusCode: 0,
        setHeader: (name: string, value: string): void => {
          if (name === 'Location') location = value;
        },
        end: (): void => {
          resolve({ redirectUrl: location });
        },
      };
      const settle = (error: unknown, tokens?: unknown): void => {
        if (error) reject(causeOf(error));
        else if (tokens) resolve({ tokens: tokens as WechatTokenResponse });
        else reject(new WechatAuthorizationError('invalid_state', 'The state is not of this browser.'));
      };
      const middleware = this.passport.authenticate(
        appId,
        { session: false, ...options } as passport.AuthenticateOptions,
        settle,
      ) as (request: unknown, response: unknown, next: (error: unknown) => void) => void;
      middleware(request, response, settle);
    });
  }
}

/** passport-oauth2 wraps what the token request failed with. */
function causeOf(error: unknown): Error {
  const cause = error instanceof InternalOAuthError ? (error.oauthError as unknown) : error;
  return cause instanceof Error ? cause : new Error('The Passport strategy failed.', { cause });
}

import { Get, Inject, Logger, Post, Req, Res } from '@nestjs/common';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import type { PublicUrl } from '../common/public-url.js';
import { CallbackHandler } from './callback.handler.js';
import { type Answer, type HttpExchange, HttpExchanges } from './http-exchange.js';
import { isFromOwnOrigin, isPageNavigation } from './page-navigation.js';
import { consentPage, misdirectedPage, signedOutPage, unavailablePage } from './pages/sign-in.pages.js';
import { crossOriginProblem, misdirectedProblem, notANavigationProblem } from './problems.js';
import { PublicUrls } from './public-urls.js';
import { SignInRequests } from './sign-in.request.js';
import { SignInStarter } from './sign-in.starter.js';
import { SignOut } from './sign-out.js';
import { WechatPublic } from './wechat-auth.decorator.js';

/**
 * The one place where the OAuth dance happens. Its path is an option, so each module instance decorates a subclass
 * of its own.
 */
@WechatPublic()
export abstract class SignInController {
  private readonly logger = new Logger(SignInController.name);

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(SignOut) private readonly signOuts: SignOut,
    @Inject(HttpExchanges) private readonly exchanges: HttpExchanges,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
    @Inject(SignInRequests) private readonly requests: SignInRequests,
    @Inject(SignInStarter) private readonly starter: SignInStarter,
    @Inject(CallbackHandler) private readonly callbacks: CallbackHandler,
  ) {}

  /** Starts a sign-in: for buttons, and for pages whose script got a 401. */
  @Get('sign-in')
  signIn(@Req() request: unknown, @Res() response: unknown): Promise<void> {
    return this.answerNavigation(request, response, async (exchange, publicUrl) => {
      const signInRequest = this.requests.read(exchange, publicUrl);
      try {
        return await this.starter.start(exchange, signInRequest);
      } catch (error) {
        this.logger.error(
          'A sign-in could not be started.',
          error instanceof Error ? error.stack : undefined,
        );
        return unavailablePage(this.starter.retryUrl(signInRequest));
      }
    });
  }

  /** The redirect URI. */
  @Get('callback')
  async callback(@Req() request: unknown, @Res() response: unknown): Promise<void> {
    const exchange = this.exchanges.of(request, response);
    exchange.send(
      isPageNavigation(exchange) ? await this.callbacks.handle(exchange) : notANavigationProblem(),
    );
  }

  /** Says what the profile is for, before WeChat asks. */
  @Get('consent')
  consent(@Req() request: unknown, @Res() response: unknown): Promise<void> {
    return this.answerNavigation(request, response, (exchange, publicUrl) => {
      const signInRequest = { ...this.requests.read(exchange, publicUrl), asked: true };
      return consentPage(
        this.requests.url('sign-in', signInRequest),
        this.publicUrls.startPage(publicUrl),
        this.options.consentText,
      );
    });
  }

  @Post('sign-out')
  async signOut(@Req() request: unknown, @Res() response: unknown): Promise<void> {
    const exchange = this.exchanges.of(request, response);
    exchange.send(await this.signOutAnswer(exchange));
  }

  private async signOutAnswer(exchange: HttpExchange): Promise<Answer> {
    const publicUrl = this.publicUrls.of(exchange);
    if (!publicUrl) return misdirectedProblem();
    if (!isFromOwnOrigin(exchange, this.publicUrls.ownOrigins)) return crossOriginProblem();
    await this.signOuts.signOut(exchange, publicUrl);
    const isForm = (exchange.header('accept') ?? '').includes('text/html');
    if (!isForm) return { kind: 'empty', status: 204 };
    const returnTo = exchange.query('return_to');
    const url = publicUrl.origin + this.publicUrls.checkedReturnPath(returnTo, publicUrl);
    return returnTo === undefined ? signedOutPage(url) : { kind: 'redirect', status: 303, url };
  }

  private async answerNavigation(
    request: unknown,
    response: unknown,
    answer: (exchange: HttpExchange, publicUrl: PublicUrl) => Answer | Promise<Answer>,
  ): Promise<void> {
    const exchange = this.exchanges.of(request, response);
    const publicUrl = this.publicUrls.of(exchange);
    if (!isPageNavigation(exchange)) exchange.send(notANavigationProblem());
    else exchange.send(publicUrl ? await answer(exchange, publicUrl) : misdirectedPage());
  }
}

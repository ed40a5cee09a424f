import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { WechatSessionStore } from '../common/session.js';
import type { WechatScope } from '../common/wechat-user.js';
import { GrantRepository } from '../grants/grant.repository.js';
import { isConsentLive } from '../grants/grant.standing.js';
import { Authorization } from './authorization.js';
import { Browsers } from './browser.js';
import type { Answer, HttpExchange } from './http-exchange.js';
import { isWechatBrowser } from './page-navigation.js';
import { continuePage, openInWechatPage, signInAgainPage } from './pages/sign-in.pages.js';
import { publicUrlId, PublicUrls } from './public-urls.js';
import { SessionValidity } from './session.validity.js';
import { type SignInRequest, SignInRequests } from './sign-in.request.js';
import { SignInTickets } from './ticket.js';
import { WechatAuthorizationError } from './wechat-authorization.error.js';

/** How often one sign-in is tried before it ends in a page. */
const MAX_ATTEMPTS = 2;

/** Sends a browser on its way to WeChat, or to the page that has to come first. */
@Injectable()
export class SignInStarter {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatSessionStore) private readonly sessions: WechatSessionStore,
    @Inject(SessionValidity) private readonly validity: SessionValidity,
    @Inject(GrantRepository) private readonly grants: GrantRepository,
    @Inject(Authorization) private readonly authorization: Authorization,
    @Inject(Browsers) private readonly browsers: Browsers,
    @Inject(SignInTickets) private readonly tickets: SignInTickets,
    @Inject(SignInRequests) private readonly requests: SignInRequests,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
  ) {}

  /**
   * @param attempt counts the tries of one sign-in that went wrong by themselves, from 1.
   * @throws {WechatAuthorizationError} `too_many_attempts`
   */
  async start(exchange: HttpExchange, request: SignInRequest, attempt = 1): Promise<Answer> {
    if (!this.leadsToWechat(exchange)) {
      return openInWechatPage(request.publicUrl.origin + request.returnPath);
    }
    if (!request.asked && (await this.hasLeft(exchange, request))) {
      return signInAgainPage(this.retryUrl(request), request.goal, this.options.consentText);
    }
    if (attempt > MAX_ATTEMPTS) {
      throw new WechatAuthorizationError(
        'too_many_attempts',
        'Starting again did not help; the browser may not keep cookies.',
      );
    }
    const scope = await this.nextScope(exchange, request);
    if (scope === undefined) {
      return { kind: 'redirect', status: 302, url: this.requests.url('consent', request) };
    }
    const forcePopup = scope === 'userinfo' && (await this.wantsPopup(exchange, request));
    const url = await this.authorizationUrl(exchange, request, scope, forcePopup, attempt);
    return attempt === 1 ? { kind: 'redirect', status: 302, url } : continuePage(url);
  }

  /** Whether nobody is to be signed in here before a person asks for it: whoever was here has signed out. */
  private async hasLeft(exchange: HttpExchange, request: SignInRequest): Promise<boolean> {
    const session = await this.sessions.read(exchange.request, request);
    return this.validity.hasLeft(session, exchange, request);
  }

  /** Whether the browser is one that a sign-in sends to WeChat. */
  leadsToWechat(exchange: HttpExchange): boolean {
    return this.options.outsideWechat !== 'open-in-wechat' || isWechatBrowser(exchange);
  }

  /** @returns the address behind a button that says "sign in again": pressing it is asking. */
  retryUrl(request: SignInRequest): string {
    return this.requests.url('sign-in', { ...request, asked: true });
  }

  /**
   * WeChat may answer a userinfo authorization that nobody asked for with a snapshot page. It is silent for a user
   * whose consent is live, so first we find out who is asking, silently too.
   *
   * @returns what to ask WeChat for now; undefined if the person has to be asked first.
   * @see https://developers.weixin.qq.com/community/develop/doc/000c2c34068880629ced91a2f56001
   */
  private async nextScope(exchange: HttpExchange, request: SignInRequest): Promise<WechatScope | undefined> {
    if (request.goal === 'base' || request.asked || request.prompt === 'direct') return request.goal;
    const session = await this.sessions.read(exchange.request, request);
    if (!session || session.snapshot) return 'base';
    const grant = await this.grants.find(session);
    return grant && isConsentLive(grant, this.clock.now()) ? 'userinfo' : undefined;
  }

  /** The host may have ended a consent that WeChat still remembers. */
  private async wantsPopup(exchange: HttpExchange, request: SignInRequest): Promise<boolean> {
    const session = await this.sessions.read(exchange.request, request);
    const grant = session && !session.snapshot ? await this.grants.find(session) : null;
    return grant?.consentPopupWanted ?? false;
  }

  private authorizationUrl(
    exchange: HttpExchange,
    request: SignInRequest,
    scope: WechatScope,
    forcePopup: boolean,
    attempt: number,
  ): Promise<string> {
    const { appId, publicUrl, goal, prompt, returnPath, asked, renewal } = request;
    const browserId = this.browsers.ensureId(exchange, request);
    const sealedTicket = this.tickets.seal({
      appId,
      scope,
      goal,
      prompt,
      publicUrlId: publicUrlId(publicUrl),
      returnPath,
      attempt,
      asked,
      renewal,
      issuedAt: this.clock.now(),
    });
    const callbackURL = this.publicUrls.route(publicUrl, 'callback', { t: sealedTicket });
    return this.authorization.start(
      appId,
      { query: {}, sealedTicket, browserId },
      { callbackURL, scope, forcePopup },
    );
  }
}

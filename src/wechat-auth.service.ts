import { Inject, Injectable } from '@nestjs/common';
import { WechatError } from './common/errors.js';
import { HttpExchanges } from './sign-in/http-exchange.js';
import { PublicUrls } from './sign-in/public-urls.js';
import { SignOut } from './sign-in/sign-out.js';

/** What a handler or a job of the host may ask of this module. */
@Injectable()
export class WechatAuthService {
  constructor(
    @Inject(HttpExchanges) private readonly exchanges: HttpExchanges,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
    @Inject(SignOut) private readonly signOuts: SignOut,
  ) {}

  /**
   * Ends the sessions of the browser that sent the request. Call it before the response's headers are sent.
   *
   * @param request the platform's request, Express's or Fastify's.
   * @param response the platform's response, of the same exchange.
   * @throws {WechatError} `unknown_host` if the request came by a host that `WECHAT_PUBLIC_URL` does not name.
   */
  async signOut(request: unknown, response: unknown): Promise<void> {
    const exchange = this.exchanges.of(request, response);
    const publicUrl = this.publicUrls.of(exchange);
    if (!publicUrl) {
      throw new WechatError(
        'unknown_host',
        'The request came by a host that WECHAT_PUBLIC_URL does not name, so it has no session to end. Add the host there.',
      );
    }
    await this.signOuts.signOut(exchange, publicUrl);
  }
}

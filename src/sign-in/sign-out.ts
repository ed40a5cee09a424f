import { Inject, Injectable } from '@nestjs/common';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import type { PublicUrl } from '../common/public-url.js';
import { WechatSessionStore } from '../common/session.js';
import { Browsers } from './browser.js';
import type { HttpExchange } from './http-exchange.js';

/**
 * Ends the sessions that a browser has with this application, one per account, and with them what an address in its
 * history could bring back.
 */
@Injectable()
export class SignOut {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatSessionStore) private readonly sessions: WechatSessionStore,
    @Inject(Browsers) private readonly browsers: Browsers,
  ) {}

  async signOut(exchange: HttpExchange, publicUrl: PublicUrl): Promise<void> {
    for (const { appId } of this.options.accounts) {
      await this.sessions.clear(exchange.response, { appId, publicUrl });
      this.browsers.forget(exchange, { appId, publicUrl });
    }
  }
}

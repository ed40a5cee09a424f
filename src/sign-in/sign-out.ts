import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import type { PublicUrl } from '../common/public-url.js';
import { WechatSessionStore } from '../common/session.js';
import { Revocations } from '../grants/revocations.js';
import { Browsers } from './browser.js';
import { ExchangeClaims } from './exchange.claims.js';
import type { HttpExchange } from './http-exchange.js';

/**
 * Ends the sessions that a browser has with this application, one per account, and with them what an address in its
 * history could bring back. Works without the database too: then other instances hear of it later.
 */
@Injectable()
export class SignOut {
  private readonly logger = new Logger(SignOut.name);

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatSessionStore) private readonly sessions: WechatSessionStore,
    @Inject(Browsers) private readonly browsers: Browsers,
    @Inject(Revocations) private readonly revocations: Revocations,
    @Inject(ExchangeClaims) private readonly claims: ExchangeClaims,
  ) {}

  async signOut(exchange: HttpExchange, publicUrl: PublicUrl): Promise<void> {
    for (const { appId } of this.options.accounts) {
      const scope = { appId, publicUrl };
      const session = await this.sessions.read(exchange.request, scope);
      const browserId = this.browsers.idOf(exchange, scope);
      await this.sessions.clear(exchange.response, scope);
      this.browsers.markSignedOut(exchange, scope, this.clock.now());
      // Whoever has a copy of the cookie is out as well.
      if (session) await this.revocations.revoke(session);
      if (browserId !== undefined) await this.withdrawSignIns(browserId, appId);
    }
  }

  /** What cannot be taken back now is refused all the same: its session is over, and its browser has a new id. */
  private async withdrawSignIns(browserId: string, appId: string): Promise<void> {
    try {
      await this.claims.withdraw(browserId, appId);
    } catch (error) {
      this.logger.warn(
        `The sign-ins of a browser that has signed out could not be taken back: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import type { PublicUrl } from '../common/public-url.js';
import { WechatSessionStore } from '../common/session.js';

/** Ends the sessions that a browser has with this application, one per account. */
@Injectable()
export class SignOut {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatSessionStore) private readonly sessions: WechatSessionStore,
  ) {}

  async clearSessions(response: unknown, publicUrl: PublicUrl): Promise<void> {
    for (const { appId } of this.options.accounts) {
      await this.sessions.clear(response, { appId, publicUrl });
    }
  }
}

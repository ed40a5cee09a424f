import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { type ClaimedGrant, RefreshRepository } from '../grants/refresh.repository.js';
import { WechatClient } from '../protocol/wechat.client.js';
import type { RefreshOutcome } from './refresh.settlement.js';

/** Beyond the time limit of the call: for writing the result. */
const TIME_TO_WRITE_MS = 5_000;

/** Sends one refresh to WeChat. Nothing is locked meanwhile, and nothing is written. */
@Injectable()
export class RefreshSender {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(RefreshRepository) private readonly refreshes: RefreshRepository,
    @Inject(WechatClient) private readonly client: WechatClient,
  ) {}

  /** How long a lease has to last when the request is sent, in milliseconds. */
  get neededLeaseMs(): number {
    return this.options.requestTimeoutMs + TIME_TO_WRITE_MS;
  }

  async send(claimed: ClaimedGrant): Promise<RefreshOutcome> {
    const requestedAt = this.clock.now();
    // Somebody else may be at it before this one's result would be written.
    if (claimed.leaseExpiresAt.getTime() - requestedAt.getTime() < this.neededLeaseMs) return { claimed };
    try {
      const refreshToken = this.refreshes.refreshTokenOf(claimed);
      const tokens = await this.client.refreshTokenGrant({ appId: claimed.appId, refreshToken });
      return { claimed, tokens, requestedAt };
    } catch (error) {
      return { claimed, error };
    }
  }
}

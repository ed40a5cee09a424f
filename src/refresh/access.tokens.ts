import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import type { GrantKey } from '../grants/grant.reader.js';
import { AccountStateRepository } from '../grants/account-state.repository.js';
import { GrantRepository } from '../grants/grant.repository.js';
import { isConsentLive, isPairAlive } from '../grants/grant.standing.js';
import { QuotaRepository } from '../grants/quota.repository.js';
import { RefreshRepository } from '../grants/refresh.repository.js';
import type { WechatGrant } from '../grants/wechat-grant.entity.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';
import { RefreshSender } from './refresh.sender.js';
import { RefreshSettlement } from './refresh.settlement.js';
import {
  WechatConsentRequiredError,
  WechatGrantNotFoundError,
  WechatRefreshError,
} from './wechat-grant.errors.js';

/** What whoever gets a token can count on, in milliseconds. */
const MIN_LIFE_MS = 60 * 1000;
/** Who waits for another process looks at the row this often, in milliseconds of real time; no connection is held. */
const LOOK_AGAIN_MS = 100;

/** Access tokens for handlers and jobs: the stored one while it lives, else one refresh for all who ask. */
@Injectable()
export class AccessTokens {
  /** One for each pair, in this process; between processes the lease in the row decides. */
  private readonly inFlight = new Map<string, Promise<string>>();

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(GrantRepository) private readonly grants: GrantRepository,
    @Inject(RefreshRepository) private readonly refreshes: RefreshRepository,
    @Inject(AccountStateRepository) private readonly accounts: AccountStateRepository,
    @Inject(QuotaRepository) private readonly quotas: QuotaRepository,
    @Inject(RefreshSender) private readonly sender: RefreshSender,
    @Inject(RefreshSettlement) private readonly settlement: RefreshSettlement,
  ) {}

  /**
   * @returns an access token that may read the profile and lives for another minute at least.
   * @throws {WechatGrantNotFoundError}
   * @throws {WechatConsentRequiredError}
   * @throws {WechatResponseError} if WeChat fails just now: `retryable` tells whether to come back.
   */
  async get(key: GrantKey): Promise<string> {
    const grant = await this.grantOf(key);
    return this.isFresh(grant) ? this.grants.openTokens(grant).accessToken : this.refreshOnce(grant);
  }

  /**
   * For a token that WeChat did not take although it should be alive.
   *
   * @returns another token: a newer one if there is one by now, else that of a refresh.
   */
  async replace(key: GrantKey, rejected: string): Promise<string> {
    const grant = await this.grantOf(key);
    const { accessToken } = this.grants.openTokens(grant);
    return accessToken !== rejected && this.isFresh(grant) ? accessToken : this.refreshOnce(grant);
  }

  private async grantOf(key: GrantKey): Promise<WechatGrant> {
    const grant = await this.grants.find(key);
    if (!grant) throw new WechatGrantNotFoundError();
    const now = this.clock.now();
    if (!isConsentLive(grant, now)) {
      throw new WechatConsentRequiredError(grant.consentedAt === null ? 'never' : 'ended');
    }
    if (!isPairAlive(grant, now) || grant.pairAbility === 'unable')
      throw new WechatConsentRequiredError('pair');
    return grant;
  }

  private isFresh({ accessTokenExpiresAt }: WechatGrant): boolean {
    return accessTokenExpiresAt.getTime() - this.clock.now().getTime() >= MIN_LIFE_MS;
  }

  private refreshOnce(grant: WechatGrant): Promise<string> {
    const { appId, openid, pairVersion } = grant;
    const pair = `${appId} ${openid} ${String(pairVersion)}`;
    const running = this.inFlight.get(pair);
    if (running) return running;
    const started = this.refreshOrWait(grant).finally(() => this.inFlight.delete(pair));
    this.inFlight.set(pair, started);
    return started;
  }

  /** Refreshes, or waits for whoever else does, and takes over from one that has died. */
  private async refreshOrWait(grant: WechatGrant): Promise<string> {
    const since = this.clock.now();
    const giveUpAt = performance.now() + 2 * this.options.requestTimeoutMs;
    for (let current = grant; ; current = await this.grantOf(grant)) {
      if (current.pairVersion !== grant.pairVersion && this.isFresh(current)) {
        return this.grants.openTokens(current).accessToken;
      }
      // Whoever was at it has failed while this one waited: it would not go better right now.
      if (current.refreshFailedAt !== null && current.refreshFailedAt >= since)
        throw new WechatRefreshError('refresh_failed');
      const token = await this.tryRefresh(current);
      if (token !== undefined) return token;
      if (performance.now() >= giveUpAt) throw new WechatRefreshError('refresh_timeout');
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** @returns undefined while somebody else holds the lease, or where the pair has changed meanwhile. */
  private async tryRefresh(grant: WechatGrant): Promise<string | undefined> {
    const { appId } = grant;
    const now = this.clock.now();
    const leaseExpiresAt = new Date(now.getTime() + 2 * this.sender.neededLeaseMs);
    const isStopped = await this.accounts.isStopped(appId);
    const claim = { leaseId: randomUUID(), now, leaseExpiresAt };
    const claimed = await this.refreshes.claimOne(grant, grant.pairVersion, claim);
    if (!claimed) return undefined;
    if (isStopped && !(await this.accounts.takeProbe(appId, now))) {
      await this.settlement.settle(appId, [{ claimed }]);
      throw new WechatRefreshError('account_stopped');
    }
    const outcome = await this.sender.send(claimed);
    const written = await this.settlement.settle(appId, [outcome]);
    // A user waits for it, so it does not wait for the quota; the sweeps leave room.
    await this.quotas.debit(appId, 'refresh', 1, now);
    if ('error' in outcome) throw asGrantError(outcome.error);
    if (!('tokens' in outcome) || written.length === 0) return undefined;
    return outcome.tokens.accessToken;
  }
}

function asGrantError(error: unknown): unknown {
  const isRejected = error instanceof WechatResponseError && error.class === 'token';
  return isRejected ? new WechatConsentRequiredError('pair', { cause: error }) : error;
}

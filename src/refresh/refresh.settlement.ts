import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { openidForLogs } from '../common/digest.js';
import { WechatEvents } from '../common/events.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { WechatRandomness } from '../common/randomness.js';
import { SealError } from '../common/sealer.js';
import { AccountStateRepository } from '../grants/account-state.repository.js';
import {
  type ClaimedGrant,
  RefreshRepository,
  type RefreshResult,
  type WrittenGrant,
} from '../grants/refresh.repository.js';
import type { WechatTokenResponse } from '../protocol/wechat.client.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';
import { countOutcomes } from './refresh.counts.js';
import { failureOf, type RefreshFailure } from './refresh.failures.js';
import { dropped, failed, type ResultContext, succeeded } from './refresh.results.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** What came of one claimed grant. */
export type RefreshOutcome =
  | { claimed: ClaimedGrant; tokens: WechatTokenResponse; requestedAt: Date }
  | { claimed: ClaimedGrant; error: unknown }
  /** Not sent: the lease was nearly over, the quota is used up, or the application stops. */
  | { claimed: ClaimedGrant };

/** Turns outcomes into what is known of the grants and of their account, and says once what has changed. */
@Injectable()
export class RefreshSettlement {
  private readonly logger = new Logger('WechatRefresh');

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatRandomness) private readonly randomness: WechatRandomness,
    @Inject(RefreshRepository) private readonly refreshes: RefreshRepository,
    @Inject(AccountStateRepository) private readonly accounts: AccountStateRepository,
    @Inject(WechatEvents) private readonly events: WechatEvents,
  ) {}

  /** @returns the grants that were written: what others have changed meanwhile stays as it is. */
  async settle(appId: string, outcomes: readonly RefreshOutcome[]): Promise<WrittenGrant[]> {
    countOutcomes(appId, outcomes);
    const failures = outcomes.map((outcome) => ('error' in outcome ? failureOf(outcome.error) : undefined));
    const mayMark = await this.mayMark(appId, outcomes, failures);
    const now = this.clock.now();
    const { activeWithinDays } = this.options.refresh;
    const activeSince =
      activeWithinDays === undefined ? undefined : new Date(now.getTime() - activeWithinDays * DAY_MS);
    const jitters = this.randomness.bytes(outcomes.length);
    const results = outcomes.map((outcome, index) => {
      const failure = failures[index] === 'rejected' && !mayMark ? 'later' : failures[index];
      const jitter = (jitters[index] ?? 0) / 255;
      return resultOf(outcome, failure, { now, times: this.options.times, activeSince, jitter });
    });
    const written = await this.refreshes.save(results);
    this.tellHost(results, written);
    await this.noteAccount(appId, outcomes, failures, now);
    this.tellStrange(outcomes);
    return written;
  }

  /** More rejections than can be true mark nobody, until a while without. */
  private async mayMark(
    appId: string,
    outcomes: readonly RefreshOutcome[],
    failures: readonly (RefreshFailure | undefined)[],
  ): Promise<boolean> {
    const sent = outcomes.filter((outcome) => 'tokens' in outcome || 'error' in outcome).length;
    const rejections = failures.filter((failure) => failure === 'rejected').length;
    const { isStopped, hasChanged } = await this.accounts.count(appId, sent, rejections, this.clock.now());
    if (hasChanged && isStopped) {
      this.logger.error(
        `WeChat rejects far more refresh tokens of the account ${appId} than usual. No grant is marked until that has been over for five minutes: check whether the account or its open platform binding was changed.`,
      );
    } else if (hasChanged) {
      this.logger.log(`WeChat takes the refresh tokens of the account ${appId} again.`);
    }
    return !isStopped;
  }

  private async noteAccount(
    appId: string,
    outcomes: readonly RefreshOutcome[],
    failures: readonly (RefreshFailure | undefined)[],
    now: Date,
  ): Promise<void> {
    const fault = outcomes[failures.indexOf('stop-account')];
    if (fault && 'error' in fault && fault.error instanceof WechatResponseError) {
      if (await this.accounts.stop(appId, fault.error.errcode, now)) {
        this.logger.error(
          `The account ${appId} is stopped: ${fault.error.message} It is tried again every five minutes.`,
        );
        this.events.emit('wechat.account-misconfigured', { appId, errcode: fault.error.errcode });
      }
    } else if (outcomes.some((outcome) => 'tokens' in outcome) && (await this.accounts.resume(appId))) {
      this.logger.log(`The account ${appId} goes on: WeChat answers its refreshes again.`);
    }
  }

  /** Of what was written, and nothing else. */
  private tellHost(results: readonly RefreshResult[], written: readonly WrittenGrant[]): void {
    const statuses = new Map(written.map(({ openid, pairStatus }) => [openid, pairStatus]));
    for (const { claimed, tokens } of results) {
      const { appId, openid } = claimed;
      const pairStatus = statuses.get(openid);
      if (pairStatus === undefined) continue;
      if (tokens) {
        const { accessTokenExpiresAt } = tokens;
        this.events.emit('wechat.refreshed', { appId, openid, accessTokenExpiresAt });
      } else if (pairStatus === 'dead') {
        this.events.emit('wechat.consent-required', { appId, openid, reason: 'rejected' });
      }
    }
  }

  /** What nobody has foreseen is for a person to look at: one line for each kind in a batch. */
  private tellStrange(outcomes: readonly RefreshOutcome[]): void {
    const strange = new Map<string, ClaimedGrant>();
    for (const outcome of outcomes) {
      if (!('error' in outcome)) continue;
      const { error, claimed } = outcome;
      const isKnown =
        error instanceof WechatResponseError && error.class !== 'unknown' && error.class !== 'usage';
      if (!isKnown) strange.set(textOf(error), claimed);
    }
    for (const [text, { openid }] of strange) {
      this.logger.error(`A refresh failed for no known reason, of ${openidForLogs(openid)} for one: ${text}`);
    }
  }
}

function resultOf(
  outcome: RefreshOutcome,
  failure: RefreshFailure | undefined,
  context: ResultContext,
): RefreshResult {
  const { claimed } = outcome;
  if ('tokens' in outcome) return succeeded(claimed, outcome.tokens, outcome.requestedAt, context);
  return failure === undefined ? dropped(claimed) : failed(claimed, failure, context);
}

function textOf(error: unknown): string {
  if (error instanceof SealError) return `its tokens cannot be opened: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

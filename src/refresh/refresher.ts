import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import pLimit from 'p-limit';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { AccountStateRepository } from '../grants/account-state.repository.js';
import { QuotaRepository } from '../grants/quota.repository.js';
import { RefreshRepository } from '../grants/refresh.repository.js';
import { ConsentReviewer } from './consent.reviewer.js';
import { RefreshSender } from './refresh.sender.js';
import { type RefreshOutcome, RefreshSettlement } from './refresh.settlement.js';

/** WeChat's own limit for each account. */
export const CALLS_PER_MINUTE = 50_000;
/** Long enough for a batch that waits for the slowest answers. */
const LEASE_MS = 2 * 60 * 1000;

/** What a sweep has done, over all accounts. */
export interface RefreshReport {
  refreshed: number;
  failed: number;
}

/** Refreshes the access tokens that are due, of all accounts. Any number of instances may do so at once. */
@Injectable()
export class Refresher {
  private readonly calls;
  private readonly lanes: number;
  /** Accounts take turns. Claimed is what can be sent soon: a lease ends, and memory is not for waiting in. */
  private readonly batches;
  private isStopping = false;
  private readonly inFlight = new Set<Promise<unknown>>();

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(RefreshRepository) private readonly refreshes: RefreshRepository,
    @Inject(AccountStateRepository) private readonly accounts: AccountStateRepository,
    @Inject(QuotaRepository) private readonly quotas: QuotaRepository,
    @Inject(RefreshSender) private readonly sender: RefreshSender,
    @Inject(RefreshSettlement) private readonly settlement: RefreshSettlement,
    @Inject(ConsentReviewer) private readonly consents: ConsentReviewer,
  ) {
    const { concurrency, batchSize } = options.refresh;
    this.calls = pLimit(concurrency);
    // As many batches as keep all calls busy, and one that is claimed or written meanwhile.
    this.lanes = 1 + Math.ceil(concurrency / batchSize);
    this.batches = pLimit(this.lanes);
  }

  /**
   * Refreshes all that is due now, and marks the users whose consent ends soon or has ended. An account that fails does
   * not keep the others waiting.
   */
  async sweep(): Promise<RefreshReport> {
    const report: RefreshReport = { refreshed: 0, failed: 0 };
    const sweeps = [
      this.track(this.consents.review()),
      ...this.options.accounts.map(({ appId }) => this.track(this.sweepAccount(appId, report))),
    ];
    const failure = (await Promise.allSettled(sweeps)).find((sweep) => sweep.status === 'rejected');
    if (failure) throw failure.reason;
    return report;
  }

  /** Sends nothing more, and waits until what was sent has been answered and written. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.allSettled(this.inFlight);
  }

  private async sweepAccount(appId: string, report: RefreshReport): Promise<void> {
    if (await this.accounts.isStopped(appId)) {
      const now = this.clock.now();
      // Where nothing is due, the one try in five minutes is not for a sweep.
      const isOurs =
        (await this.refreshes.isAnyDue(appId, now)) && (await this.accounts.takeProbe(appId, now));
      if (isOurs) await this.batch(appId, 1, report);
      return;
    }
    await Promise.all(Array.from({ length: this.lanes }, () => this.lane(appId, report)));
  }

  /** Batch after batch, until nothing is due, the quota is used up, or something is wrong with the account. */
  private async lane(appId: string, report: RefreshReport): Promise<void> {
    const { batchSize } = this.options.refresh;
    const next = (): Promise<boolean> => this.batches(() => this.batch(appId, batchSize, report));
    while (!this.isStopping && (await next()));
  }

  /** @returns whether there may be more to do. */
  private async batch(appId: string, size: number, report: RefreshReport): Promise<boolean> {
    const { quotaShare } = this.options.refresh;
    const now = this.clock.now();
    const leaseExpiresAt = new Date(now.getTime() + LEASE_MS);
    const claimed = await this.refreshes.claimDue(
      appId,
      { leaseId: randomUUID(), now, leaseExpiresAt },
      size,
    );
    if (claimed.length === 0) return false;
    // Of what is sent only: instances that find nothing to do must not use up the minute.
    const limit = Math.max(1, Math.floor(CALLS_PER_MINUTE * quotaShare));
    const allowance = await this.quotas.reserve(appId, 'refresh', claimed.length, limit, this.clock.now());
    const outcomes = await Promise.all(
      claimed.map((one, index) =>
        this.calls((): RefreshOutcome | Promise<RefreshOutcome> =>
          this.isStopping || index >= allowance ? { claimed: one } : this.sender.send(one),
        ),
      ),
    );
    await this.settlement.settle(appId, outcomes);
    const refreshed = outcomes.filter((outcome) => 'tokens' in outcome).length;
    const failed = outcomes.filter((outcome) => 'error' in outcome).length;
    report.refreshed += refreshed;
    report.failed += failed;
    // Where nothing goes through, the next sweep is soon enough.
    return claimed.length === size && allowance === size && refreshed > 0;
  }

  private track<Outcome>(work: Promise<Outcome>): Promise<Outcome> {
    this.inFlight.add(work);
    const forget = () => this.inFlight.delete(work);
    work.then(forget, forget);
    return work;
  }
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { Revocations } from '../grants/revocations.js';
import { FailureLog } from './failure.log.js';
import { type Operations, OperationsReader } from './operations.reader.js';
import { within } from './time.limit.js';

/** Those who probe every second, or all at once, share one reading. */
const MAX_AGE_MS = 1_000;
const MINUTE_MS = 60_000;
/** They are read every 30 seconds: one slow answer is no alarm, three failures in a row are. */
const MAX_REVOCATIONS_AGE_MS = 2 * MINUTE_MS;

/** What still counts as healthy. */
export interface WechatHealthLimits {
  /**
   * How long a refresh may have been due, in milliseconds. Default: 5 minutes, or three times `refresh.intervalMs` if
   * that is longer; no limit where `refresh: false` leaves refreshes to others. `Infinity`: no limit.
   */
  maxBacklogAgeMs?: number;
  /** Whether an account may be stopped because WeChat says that it is misconfigured. Default: no. */
  allowStoppedAccounts?: boolean;
  /**
   * How long ago sign-outs on other instances may have been read, in milliseconds. Default: 2 minutes; they are read every
   * 30 seconds. Until they are, this instance lets in whoever has signed out elsewhere. `Infinity`: no limit.
   */
  maxRevocationsAgeMs?: number;
  /** How long to wait for the database, in milliseconds. Default: 3,000. */
  timeoutMs?: number;
}

/** Says nothing secret, and nothing of any user: health pages are often open to all. */
// A type and no interface, so that it fits where any further key is allowed, as in Terminus's results.
export type WechatHealth = {
  status: 'up' | 'down';
  database: 'up' | 'down';
  /** What is wrong, in words; absent while nothing is. */
  message?: string;
  /** Grants whose refresh is due and has not been written, over all accounts. Counted up to 100,000 for each. */
  backlog?: number;
  /** How long the oldest of them has been due, in whole seconds. */
  backlogAgeSeconds?: number;
  /** How long ago this instance last read who has signed out elsewhere, in whole seconds. */
  revocationsAgeSeconds?: number;
  /** Accounts that are stopped, with the code by which WeChat said so. */
  stoppedAccounts?: { appId: string; errcode: number | null }[];
};

/**
 * Tells whether tokens are kept alive and sign-outs are heard of: whether the database answers, refreshes are in time, no
 * account is stopped, and sign-outs on other instances were read a short while ago.
 * Made for `HealthCheckService` of `@nestjs/terminus`, and needs nothing of it.
 *
 * It is for whoever is called when something is wrong. A probe that takes instances out of service should ask for the
 * database alone, since sign-ins work whatever refreshes do:
 * `isHealthy('wechat', { maxBacklogAgeMs: Infinity, maxRevocationsAgeMs: Infinity, allowStoppedAccounts: true })`.
 *
 * @example
 * health.check([() => wechat.isHealthy('wechat')])
 */
@Injectable()
export class WechatHealthIndicator {
  private readonly log = new FailureLog(new Logger('WechatHealthIndicator'), {
    failed: 'The database does not answer',
    again: 'The database answers again.',
  });
  private readonly defaultMaxAgeMs: number;

  constructor(
    @Inject(OperationsReader) private readonly reader: OperationsReader,
    @Inject(Revocations) private readonly revocations: Revocations,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WECHAT_AUTH_OPTIONS) { refresh }: ResolvedWechatAuthOptions,
  ) {
    this.defaultMaxAgeMs = refresh.isScheduled ? Math.max(5 * MINUTE_MS, 3 * refresh.intervalMs) : Infinity;
  }

  /**
   * Never throws.
   *
   * @param key by which the result is found among others.
   */
  async isHealthy<const Key extends string = 'wechat'>(
    key: Key = 'wechat' as Key,
    limits: WechatHealthLimits = {},
  ): Promise<Record<Key, WechatHealth>> {
    return { [key]: await this.look(limits) } as Record<Key, WechatHealth>;
  }

  private async look({
    maxBacklogAgeMs = this.defaultMaxAgeMs,
    maxRevocationsAgeMs = MAX_REVOCATIONS_AGE_MS,
    allowStoppedAccounts = false,
    timeoutMs = 3_000,
  }: WechatHealthLimits): Promise<WechatHealth> {
    let operations: Operations;
    try {
      operations = await within(timeoutMs, this.reader.operations.get(MAX_AGE_MS));
      this.log.succeeded();
    } catch (error) {
      this.log.failed(error);
      // The reason is for the logs alone: it may name hosts and users.
      return { status: 'down', database: 'down', message: 'The database does not answer.' };
    }
    const stopped = operations.standings.filter(({ isStopped }) => isStopped);
    const ageMs = Math.max(0, ...operations.backlogs.map((backlog) => backlog.ageMs));
    const revocationsAgeMs = this.revocationsAgeMs();
    // One line for each thing that can be wrong.
    const problems = [
      ageMs > maxBacklogAgeMs && 'Access tokens are not refreshed in time.',
      revocationsAgeMs > maxRevocationsAgeMs &&
        'Sign-outs on other instances are not heard of; whoever has signed out there may be let in here.',
      !allowStoppedAccounts &&
        stopped.length > 0 &&
        'WeChat says that an account is misconfigured; it is not refreshed.',
    ].filter((problem) => problem !== false);
    return {
      status: problems.length > 0 ? 'down' : 'up',
      database: 'up',
      ...(problems.length > 0 && { message: problems.join(' ') }),
      backlog: operations.backlogs.reduce((sum, { due }) => sum + due, 0),
      backlogAgeSeconds: Math.round(ageMs / 1000),
      revocationsAgeSeconds: Math.round(revocationsAgeMs / 1000),
      stoppedAccounts: stopped.map(({ appId, stoppedByErrcode }) => ({ appId, errcode: stoppedByErrcode })),
    };
  }

  /** Before the application serves anything, nobody could have been let in. */
  private revocationsAgeMs(): number {
    const { lastPolledAt } = this.revocations;
    return lastPolledAt ? this.clock.now().getTime() - lastPolledAt.getTime() : 0;
  }
}

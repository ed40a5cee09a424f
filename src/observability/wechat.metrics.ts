import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { BatchObservableCallback, BatchObservableResult } from '@opentelemetry/api';
import { APP_ID, ENDPOINT, meter } from '../common/instruments.js';
import { FailureLog } from './failure.log.js';
import { CONSENT_STATES, type GrantCount, PAIR_STATES } from './grant.census.js';
import { type Operations, OperationsReader } from './operations.reader.js';
import { within } from './time.limit.js';
import { createGauges, type WechatGauges } from './wechat.gauges.js';

/** How old figures may be, in milliseconds: several who scrape share one reading. */
const MAX_AGE_MS = 10_000;
/** Grants change their state slowly, and counting them costs most. */
const MAX_CENSUS_AGE_MS = 5 * 60_000;
/** For each of two readings: the host's own metrics wait for ours, and who scrapes gives up after 10 s in most cases. */
const TIME_LIMIT_MS = 4_000;

/**
 * Shows by OpenTelemetry's gauges how the work goes. Nothing is read unless somebody collects metrics: without an SDK
 * nobody does.
 */
@Injectable()
export class WechatMetrics implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly log = new FailureLog(new Logger('WechatMetrics'), {
    failed: 'Metrics cannot be read from the database, and stay as they were',
    again: 'Metrics are read from the database again.',
  });
  private stop: (() => void) | undefined;

  constructor(@Inject(OperationsReader) private readonly reader: OperationsReader) {}

  onApplicationBootstrap(): void {
    const ours = meter();
    const gauges = createGauges();
    const observables = Object.values(gauges);
    const callback: BatchObservableCallback = (result) => this.observe(result, gauges);
    ours.addBatchObservableCallback(callback, observables);
    this.stop = () => {
      ours.removeBatchObservableCallback(callback, observables);
    };
  }

  /** Before the connections are closed. Other applications in the process go on being observed. */
  onModuleDestroy(): void {
    this.stop?.();
    this.stop = undefined;
  }

  private async observe(result: BatchObservableResult, gauges: WechatGauges): Promise<void> {
    let isUp = 0;
    try {
      const { operations, census } = this.reader;
      this.showOperations(result, gauges, await within(TIME_LIMIT_MS, operations.get(MAX_AGE_MS)));
      this.showGrants(result, gauges, await within(TIME_LIMIT_MS, census.get(MAX_CENSUS_AGE_MS)));
      isUp = 1;
      this.log.succeeded();
    } catch (error) {
      // At shutdown the connections are closed under a reading that is under way.
      if (this.stop) this.log.failed(error);
    }
    for (const appId of this.reader.appIds) result.observe(gauges.databaseUp, isUp, { [APP_ID]: appId });
  }

  private showOperations(
    result: BatchObservableResult,
    gauges: WechatGauges,
    { backlogs, standings, quotas }: Operations,
  ): void {
    for (const { appId, due, ageMs } of backlogs) {
      result.observe(gauges.backlog, due, { [APP_ID]: appId });
      result.observe(gauges.backlogAge, ageMs / 1000, { [APP_ID]: appId });
    }
    for (const { appId, isStopped, isMarkingStopped } of standings) {
      result.observe(gauges.accountStopped, Number(isStopped), { [APP_ID]: appId });
      result.observe(gauges.markingStopped, Number(isMarkingStopped), { [APP_ID]: appId });
    }
    for (const { appId, endpoint, calls } of quotas) {
      result.observe(gauges.quotaRemaining, calls, { [APP_ID]: appId, [ENDPOINT]: endpoint });
    }
  }

  /** Every state of every account, since a figure that is not given again stays at its last value. */
  private showGrants(result: BatchObservableResult, gauges: WechatGauges, census: GrantCount[]): void {
    const keyOf = (...parts: string[]): string => parts.join(' ');
    const counts = new Map(
      census.map((group) => [keyOf(group.appId, group.consent, group.pair), group.grants]),
    );
    for (const appId of this.reader.appIds) {
      for (const consent of CONSENT_STATES) {
        for (const pair of PAIR_STATES) {
          result.observe(gauges.grants, counts.get(keyOf(appId, consent, pair)) ?? 0, {
            [APP_ID]: appId,
            'wechat.consent.state': consent,
            'wechat.pair.state': pair,
          });
        }
      }
    }
  }
}

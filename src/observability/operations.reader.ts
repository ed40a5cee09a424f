import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { WECHAT_DATA_SOURCE } from '../grants/data-source.token.js';
import { type AccountStanding, AccountStandings, type QuotaLeft } from './account.standings.js';
import { CachedReading } from './cached.reading.js';
import { type GrantCount, GrantCensus } from './grant.census.js';
import { type Backlog, RefreshBacklog } from './refresh.backlog.js';

/** How the module's work goes, on all instances together. */
export interface Operations {
  readonly backlogs: readonly Backlog[];
  readonly standings: readonly AccountStanding[];
  readonly quotas: readonly QuotaLeft[];
}

/** Reads what is watched from the database, when somebody watches. */
@Injectable()
export class OperationsReader {
  readonly appIds: readonly string[];
  /** A few small statements. */
  readonly operations: CachedReading<Operations>;
  /** A dear one. */
  readonly census: CachedReading<GrantCount[]>;

  constructor(
    @Inject(WECHAT_DATA_SOURCE) dataSource: DataSource,
    @Inject(WECHAT_AUTH_OPTIONS) { accounts }: ResolvedWechatAuthOptions,
    @Inject(WechatClock) clock: WechatClock,
  ) {
    this.appIds = accounts.map(({ appId }) => appId);
    const backlog = new RefreshBacklog(dataSource);
    const standings = new AccountStandings(dataSource);
    const census = new GrantCensus(dataSource);
    // One after the other: one connection.
    this.operations = new CachedReading(clock, async () => ({
      backlogs: await backlog.read(this.appIds, clock.now()),
      standings: await standings.read(this.appIds),
      quotas: await standings.readQuotas(this.appIds, clock.now()),
    }));
    this.census = new CachedReading(clock, () => census.count(clock.now()));
  }
}

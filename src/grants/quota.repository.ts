import type { DataSource, Repository } from 'typeorm';
import type { WechatEndpoint } from '../protocol/wechat-response.error.js';
import { quotedTablePath } from './table-path.js';
import { WechatQuota } from './wechat-quota.entity.js';

const MINUTE_MS = 60 * 1000;

/** The calls a minute that all instances together have made, or are about to make. */
export class QuotaRepository {
  private readonly rows: Repository<WechatQuota>;
  private readonly table: string;

  constructor(dataSource: DataSource) {
    this.rows = dataSource.getRepository(WechatQuota);
    this.table = quotedTablePath(this.rows.metadata);
  }

  /**
   * Takes calls out of this minute's quota.
   *
   * @param limit calls a minute.
   * @returns how many may be made; fewer than wanted where the quota is nearly used up.
   */
  async reserve(
    appId: string,
    endpoint: WechatEndpoint,
    wanted: number,
    limit: number,
    now: Date,
  ): Promise<number> {
    const calls = await this.debit(appId, endpoint, wanted, now);
    return Math.max(0, Math.min(wanted, limit - (calls - wanted)));
  }

  /** Notes calls that were made without waiting. @returns how many there are in this minute. */
  async debit(appId: string, endpoint: WechatEndpoint, calls: number, now: Date): Promise<number> {
    const minute = new Date(Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS);
    // An instance whose clock is behind by a moment must not bring the last minute back.
    const [row]: { calls: number }[] = await this.rows.query(
      `INSERT INTO ${this.table} AS q (app_id, endpoint, minute, calls) VALUES ($1, $2, $3, $4)
       ON CONFLICT (app_id, endpoint) DO UPDATE SET
         minute = GREATEST(q.minute, EXCLUDED.minute),
         calls = EXCLUDED.calls + CASE WHEN q.minute < EXCLUDED.minute THEN 0 ELSE q.calls END
       RETURNING calls`,
      [appId, endpoint, minute, calls],
    );
    return row?.calls ?? calls;
  }
}

import type { DataSource, Repository } from 'typeorm';
import { quotedTablePath } from './table-path.js';
import { WechatAccountState } from './wechat-account-state.entity.js';

const MINUTE_MS = 60 * 1000;
/** Refreshes and rejections are counted over this time, in milliseconds. */
const WINDOW_MS = 5 * MINUTE_MS;
/** An account that is stopped is tried again this often, in milliseconds. */
const PROBE_INTERVAL_MS = 5 * MINUTE_MS;
/** More rejections than both of these in one window cannot be true: something else is wrong. */
const REJECTIONS_AT_LEAST = 20;
const REJECTIONS_SHARE = 0.05;

/** Whether grants may be marked because WeChat rejected their pairs, and whether that has just changed. */
export interface Marking {
  readonly isStopped: boolean;
  readonly hasChanged: boolean;
}

/** What all instances together know of each account. */
export class AccountStateRepository {
  private readonly rows: Repository<WechatAccountState>;
  private readonly table: string;

  constructor(dataSource: DataSource) {
    this.rows = dataSource.getRepository(WechatAccountState);
    this.table = quotedTablePath(this.rows.metadata);
  }

  async find(appId: string): Promise<WechatAccountState | undefined> {
    return (await this.rows.findOneBy({ appId })) ?? undefined;
  }

  /** Stops an account, since WeChat has answered that something about it is wrong. @returns whether it was not before. */
  async stop(appId: string, errcode: number | undefined, now: Date): Promise<boolean> {
    const before: { stopped: boolean }[] = await this.rows.query(
      `WITH before AS (SELECT stopped_at FROM ${this.table} WHERE app_id = $1 FOR UPDATE)
       INSERT INTO ${this.table} AS s (app_id, stopped_at, stopped_by_errcode, probe_at, window_started_at, window_refreshes, window_rejections)
       VALUES ($1, $2, $3, $4, $2, 0, 0)
       ON CONFLICT (app_id) DO UPDATE SET
         stopped_at = COALESCE(s.stopped_at, EXCLUDED.stopped_at),
         stopped_by_errcode = EXCLUDED.stopped_by_errcode, probe_at = EXCLUDED.probe_at
       RETURNING EXISTS (SELECT 1 FROM before WHERE stopped_at IS NOT NULL) AS stopped`,
      [appId, now, errcode ?? null, new Date(now.getTime() + PROBE_INTERVAL_MS)],
    );
    return before[0]?.stopped === false;
  }

  /** Lets a stopped account go on. @returns whether it was stopped. */
  async resume(appId: string): Promise<boolean> {
    const { affected } = await this.rows
      .createQueryBuilder()
      .update()
      .set({ stoppedAt: null, stoppedByErrcode: null, probeAt: null })
      .where('app_id = :appId AND stopped_at IS NOT NULL', { appId })
      .execute();
    return affected === 1;
  }

  /** @returns whether the caller, and nobody else, may send one refresh to see whether the account is well again. */
  async takeProbe(appId: string, now: Date): Promise<boolean> {
    const { affected } = await this.rows
      .createQueryBuilder()
      .update()
      .set({ probeAt: new Date(now.getTime() + PROBE_INTERVAL_MS) })
      .where('app_id = :appId AND stopped_at IS NOT NULL AND probe_at <= :now', { appId, now })
      .execute();
    return affected === 1;
  }

  /** Counts what WeChat has answered. Call it before the answers are acted upon. */
  async count(appId: string, refreshes: number, rejections: number, now: Date): Promise<Marking> {
    const windowBegan = new Date(now.getTime() - WINDOW_MS);
    const isOver = `s.window_started_at <= $5`;
    const total = (column: string): string =>
      `(EXCLUDED.${column} + CASE WHEN ${isOver} THEN 0 ELSE s.${column} END)`;
    const limitOf = (refreshes: string): string =>
      `GREATEST(${String(REJECTIONS_AT_LEAST)}, ${String(REJECTIONS_SHARE)} * ${refreshes})`;
    const isTooMuch = `${total('window_rejections')} > ${limitOf(total('window_refreshes'))}`;
    const wasFine = `s.window_rejections <= ${limitOf('s.window_refreshes')}`;
    const [state]: { before: Date | null; after: Date | null }[] = await this.rows.query(
      `WITH before AS (SELECT marking_stopped_at FROM ${this.table} WHERE app_id = $1 FOR UPDATE)
       INSERT INTO ${this.table} AS s (app_id, window_started_at, window_refreshes, window_rejections, marking_stopped_at)
       VALUES ($1, $2, $3, $4, CASE WHEN $4 > ${limitOf('$3')} THEN $2::timestamptz END)
       ON CONFLICT (app_id) DO UPDATE SET
         window_started_at = CASE WHEN ${isOver} THEN EXCLUDED.window_started_at ELSE s.window_started_at END,
         window_refreshes = ${total('window_refreshes')},
         window_rejections = ${total('window_rejections')},
         marking_stopped_at = CASE
           WHEN ${isTooMuch} THEN COALESCE(s.marking_stopped_at, EXCLUDED.window_started_at)
           WHEN ${isOver} AND ${wasFine} THEN NULL
           ELSE s.marking_stopped_at END
       RETURNING (SELECT marking_stopped_at FROM before) AS before, marking_stopped_at AS after`,
      [appId, now, refreshes, rejections, windowBegan],
    );
    const isStopped = state?.after != null;
    return { isStopped, hasChanged: isStopped !== (state?.before != null) };
  }
}

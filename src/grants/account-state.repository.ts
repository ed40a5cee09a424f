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

  /** Whether nothing is to be sent for this account but a probe. */
  async isStopped(appId: string): Promise<boolean> {
    return Boolean((await this.rows.findOneBy({ appId }))?.stoppedAt);
  }

  /** Stops an account, since WeChat has answered that something about it is wrong. @returns whether it was not before. */
  async stop(appId: string, errcode: number | undefined, now: Date): Promise<boolean> {
    const [state] = await this.change<Date>(
      appId,
      'stopped_at',
      `stopped_at = COALESCE(s.stopped_at, $2), stopped_by_errcode = $3, probe_at = $4`,
      [appId, now, errcode ?? null, new Date(now.getTime() + PROBE_INTERVAL_MS)],
    );
    return state?.before === null;
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
    const isOver = `s.window_started_at <= $5`;
    const total = (column: string, added: string): string =>
      `(${added} + CASE WHEN ${isOver} THEN 0 ELSE s.${column} END)`;
    const refreshesNow = total('window_refreshes', '$3::int');
    const rejectionsNow = total('window_rejections', '$4::int');
    const [state] = await this.change<Date>(
      appId,
      'marking_stopped_at',
      `window_started_at = CASE WHEN ${isOver} THEN $2 ELSE s.window_started_at END,
       window_refreshes = ${refreshesNow}, window_rejections = ${rejectionsNow},
       marking_stopped_at = CASE
         WHEN ${rejectionsNow} > ${limitOf(refreshesNow)} THEN COALESCE(s.marking_stopped_at, $2)
         WHEN ${isOver} AND s.window_rejections <= ${limitOf('s.window_refreshes')} THEN NULL
         ELSE s.marking_stopped_at END`,
      [appId, now, refreshes, rejections, new Date(now.getTime() - WINDOW_MS)],
    );
    const isStopped = Boolean(state?.after);
    return { isStopped, hasChanged: isStopped !== Boolean(state?.before) };
  }

  /**
   * Changes a row, and makes it before if there is none.
   *
   * @param watched the column of which it is told what was in it before and is in it after; the row is locked for that.
   */
  private async change<Value>(
    appId: string,
    watched: string,
    assignments: string,
    parameters: unknown[],
  ): Promise<{ before: Value | null; after: Value | null }[]> {
    const statement = `UPDATE ${this.table} AS s SET ${assignments}
      FROM (SELECT app_id, ${watched} AS before FROM ${this.table} WHERE app_id = $1 FOR UPDATE) AS b
      WHERE s.app_id = b.app_id RETURNING b.before, s.${watched} AS after`;
    const run = async (): Promise<{ before: Value | null; after: Value | null }[]> => {
      const [rows]: [{ before: Value | null; after: Value | null }[], number] = await this.rows.query(
        statement,
        parameters,
      );
      return rows;
    };
    const changed = await run();
    if (changed.length > 0) return changed;
    await this.rows.query(
      `INSERT INTO ${this.table} (app_id, window_started_at, window_refreshes, window_rejections)
       VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING`,
      [appId, parameters[1]],
    );
    return run();
  }
}

/** @param refreshes an expression for how many there were. */
function limitOf(refreshes: string): string {
  return `GREATEST(${String(REJECTIONS_AT_LEAST)}, ${String(REJECTIONS_SHARE)} * ${refreshes})`;
}

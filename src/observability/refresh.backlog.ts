import type { DataSource } from 'typeorm';
import { instantOf } from '../grants/grant.reader.js';
import { quotedTablePath } from '../grants/table-path.js';
import { WechatGrant } from '../grants/wechat-grant.entity.js';

/** Grants whose refresh is due and has not been written. */
export interface Backlog {
  readonly appId: string;
  readonly due: number;
  /** How long the oldest of them has been due, in milliseconds; 0 if there is none. */
  readonly ageMs: number;
}

/** More are not counted: 40 ms in the index, and more than any instance should ever be behind. */
const MAX_COUNTED = 100_000;

/** What refreshes have not caught up with, by the index that refreshes are found by. */
export class RefreshBacklog {
  private readonly table: string;

  constructor(private readonly dataSource: DataSource) {
    this.table = quotedTablePath(dataSource.getRepository(WechatGrant).metadata);
  }

  /** Reads the index alone. @returns one for each account. */
  async read(appIds: readonly string[], now: Date): Promise<Backlog[]> {
    const rows: { appId: string; due: string; oldest: Date | string | null }[] = await this.dataSource.query(
      `SELECT a.app_id AS "appId", b.due, b.oldest FROM unnest($1::text[]) AS a(app_id)
       CROSS JOIN LATERAL (
         SELECT count(*) AS due, min(refresh_due_at) AS oldest FROM (
           SELECT g.refresh_due_at FROM ${this.table} AS g
           WHERE g.app_id = a.app_id AND g.refresh_due_at <= $2 ORDER BY g.refresh_due_at LIMIT ${MAX_COUNTED}
         ) AS d
       ) AS b`,
      [appIds, now],
    );
    return rows.map(({ appId, due, oldest }) => ({
      appId,
      due: Number(due),
      ageMs: oldest === null ? 0 : now.getTime() - instantOf(oldest).getTime(),
    }));
  }
}

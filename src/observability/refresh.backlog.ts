import type { DataSource } from 'typeorm';
import { quotedTablePath } from '../grants/table-path.js';
import { WechatGrant } from '../grants/wechat-grant.entity.js';

const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Grants whose refresh is due and has not been begun. */
export interface Backlog {
  readonly appId: string;
  readonly due: number;
  /** How long the oldest of them has been due, in milliseconds; 0 if there is none. */
  readonly ageMs: number;
}

/** More are not counted: 40 ms in the index, and more than any instance should ever be behind. */
const MAX_COUNTED = 100_000;

/** Where users who stay away are left out, the rows themselves have to be read: 20,000 of them in 12 ms (260 ms from disk). */
const MAX_READ = 20_000;
/**
 * Theirs stay due for ever, so that the oldest one that counts may stand behind any number of them. Some are looked at
 * around each of these ages, from 5 minutes to a week: where refreshes stand still, most of those are of users who count.
 */
const LOOKED_AT_AGES_MS = Array.from({ length: 12 }, (_, step) => 5 * MINUTE_MS * 2 ** step);
const LOOKED_AT = 500;

/** What refreshes have not caught up with, by the index that refreshes are found by. */
export class RefreshBacklog {
  private readonly table: string;

  /** @param activeWithinDays users who have not signed in for longer are not refreshed, and so never late. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly activeWithinDays: number | undefined,
  ) {
    this.table = quotedTablePath(dataSource.getRepository(WechatGrant).metadata);
  }

  /** @returns one for each account. */
  async read(appIds: readonly string[], now: Date): Promise<Backlog[]> {
    const days = this.activeWithinDays;
    const rows: { appId: string; due: string; oldest: Date | null }[] = await this.dataSource.query(
      `SELECT a.app_id AS "appId", b.due, b.oldest FROM unnest($1::text[]) AS a(app_id)
       CROSS JOIN LATERAL (${days === undefined ? this.ofAll() : this.ofActive()}) AS b`,
      days === undefined
        ? [appIds, now]
        : [
            appIds,
            now,
            new Date(now.getTime() - days * DAY_MS),
            LOOKED_AT_AGES_MS.map((ageMs) => new Date(now.getTime() - ageMs)),
          ],
    );
    return rows.map(({ appId, due, oldest }) => ({
      appId,
      due: Number(due),
      ageMs: oldest === null ? 0 : now.getTime() - oldest.getTime(),
    }));
  }

  /** Reads the index alone. */
  private ofAll(): string {
    return `SELECT count(*) AS due, min(refresh_due_at) AS oldest FROM (
      SELECT g.refresh_due_at FROM ${this.table} AS g
      WHERE g.app_id = a.app_id AND g.refresh_due_at <= $2 ORDER BY g.refresh_due_at LIMIT ${MAX_COUNTED}
    ) AS d`;
  }

  /** Counts among those that have become due last. The age may be that of a younger one, by half at the most. */
  private ofActive(): string {
    const latest = (instant: string, limit: number): string =>
      `SELECT g.refresh_due_at, g.signed_in_at FROM ${this.table} AS g
       WHERE g.app_id = a.app_id AND g.refresh_due_at <= ${instant} ORDER BY g.refresh_due_at DESC LIMIT ${limit}`;
    return `SELECT d.due, LEAST(d.oldest, o.oldest) AS oldest
      FROM (SELECT count(*) AS due, min(refresh_due_at) AS oldest FROM (${latest('$2', MAX_READ)}) AS l
        WHERE l.signed_in_at >= $3) AS d,
      (SELECT min(l.refresh_due_at) AS oldest FROM unnest($4::timestamptz[]) AS p(instant)
        CROSS JOIN LATERAL (${latest('p.instant', LOOKED_AT)}) AS l WHERE l.signed_in_at >= $3) AS o`;
  }
}

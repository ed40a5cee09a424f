import type { DataSource } from 'typeorm';
import { quotedTablePath } from './table-path.js';
import { WechatRevocation } from './wechat-revocation.entity.js';
import { WechatSignIn } from './wechat-sign-in.entity.js';

/** Deletes rows that say nothing any more. */
export class ExpiredRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns how many were deleted; fewer than the limit if there are no more, but for those somebody holds just now. */
  async deleteSignIns(now: Date, limit: number): Promise<number> {
    return this.delete(WechatSignIn, now, limit);
  }

  /** @returns as {@link deleteSignIns}. */
  async deleteRevocations(now: Date, limit: number): Promise<number> {
    return this.delete(WechatRevocation, now, limit);
  }

  private async delete(
    entity: typeof WechatSignIn | typeof WechatRevocation,
    now: Date,
    limit: number,
  ): Promise<number> {
    const metadata = this.dataSource.getMetadata(entity);
    const table = quotedTablePath(metadata);
    const key = metadata.primaryColumns.map(({ databaseName }) => databaseName).join(', ');
    // Whoever holds a row is not waited for, and waits for one short statement at the most.
    const [{ deleted }]: [{ deleted: number }] = await this.dataSource.query(
      `WITH expired AS (
         SELECT ${key} FROM ${table} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ), deleted AS (
         DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM expired) RETURNING 1
       )
       SELECT count(*)::int AS deleted FROM deleted`,
      [now, limit],
    );
    return deleted;
  }
}

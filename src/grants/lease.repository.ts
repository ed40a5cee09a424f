import type { DataSource, Repository } from 'typeorm';
import { quotedTablePath } from './table-path.js';
import { WechatLease } from './wechat-lease.entity.js';

/** Lets one instance do what needs to be done once, and another one when that one is gone. */
export class LeaseRepository {
  private readonly rows: Repository<WechatLease>;
  private readonly table: string;

  constructor(dataSource: DataSource) {
    this.rows = dataSource.getRepository(WechatLease);
    this.table = quotedTablePath(this.rows.metadata);
  }

  /** Takes a lease that nobody has, or makes one's own longer. @returns false if somebody else has it. */
  async take(name: string, holderId: string, now: Date, expiresAt: Date): Promise<boolean> {
    const taken: unknown[] = await this.rows.query(
      `INSERT INTO ${this.table} AS l (name, holder_id, expires_at) VALUES ($1, $2, $4)
       ON CONFLICT (name) DO UPDATE SET holder_id = EXCLUDED.holder_id, expires_at = EXCLUDED.expires_at
       WHERE l.expires_at <= $3 OR l.holder_id = EXCLUDED.holder_id
       RETURNING name`,
      [name, holderId, now, expiresAt],
    );
    return taken.length === 1;
  }

  /** Gives a lease back, so that anybody may take it. */
  async release(name: string, holderId: string, now: Date): Promise<void> {
    await this.rows.update({ name, holderId }, { expiresAt: now });
  }
}

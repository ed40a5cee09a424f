import DataLoader from 'dataloader';
import type { Repository } from 'typeorm';
import { quotedTablePath } from './table-path.js';
import { WechatGrant } from './wechat-grant.entity.js';

/** Identifies a grant: the user within the account. */
export interface GrantKey {
  appId: string;
  openid: string;
}

type Row = Record<string, unknown>;

/** More than come at once on a busy instance, and far from what one statement can take. */
const MAX_BATCH = 500;

/** Who comes while so many statements are under way waits, and shares the next one. */
const MAX_STATEMENTS = 2;

/**
 * Reads rows by their keys, those that are asked for at the same time with one statement. Every request of a userinfo
 * route reads its row, and one by one that would be most of what the request takes, here and in the database.
 *
 * Nothing is kept: who asks later gets what is in the database then. It is always the primary that is asked, where the
 * host's data source has replicas too: they may lag behind a sign-in that has just ended.
 */
export class GrantReader {
  private readonly statement: string;
  private readonly loaders = new Map<string, DataLoader<string, WechatGrant | null>>();
  private underWay = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly rows: Repository<WechatGrant>) {
    const columns = rows.metadata.columns.map(({ databaseName }) => `"${databaseName}"`).join(', ');
    this.statement = `SELECT ${columns} FROM ${quotedTablePath(rows.metadata)} WHERE app_id = $1 AND openid = ANY($2::text[])`;
  }

  find({ appId, openid }: GrantKey): Promise<WechatGrant | null> {
    let loader = this.loaders.get(appId);
    if (!loader) {
      loader = new DataLoader((openids) => this.read(appId, openids), {
        cache: false,
        maxBatchSize: MAX_BATCH,
        batchScheduleFn: (dispatch) => this.schedule(dispatch),
      });
      this.loaders.set(appId, loader);
    }
    return loader.load(openid);
  }

  /** After what has arrived by now has been looked at, and not while too many are under way. */
  private schedule(dispatch: () => void): void {
    if (this.underWay >= MAX_STATEMENTS) {
      this.waiting.push(dispatch);
      return;
    }
    this.underWay += 1;
    setImmediate(dispatch);
  }

  private async read(appId: string, openids: readonly string[]): Promise<(WechatGrant | null)[]> {
    try {
      const rows: Row[] = await this.rows.query(this.statement, [appId, [...new Set(openids)]]);
      const found = new Map(rows.map((row) => [row['openid'], row]));
      return openids.map((openid) => {
        const row = found.get(openid);
        return row ? this.entityOf(row) : null;
      });
    } finally {
      this.underWay -= 1;
      const next = this.waiting.shift();
      if (next) this.schedule(next);
    }
  }

  /** @returns an entity of the caller's own: two who ask for one row do not see each other's changes. */
  private entityOf(row: Row): WechatGrant {
    const grant: Row = {};
    for (const { databaseName, propertyName, type } of this.rows.metadata.columns) {
      const value = row[databaseName];
      grant[propertyName] = type === 'timestamptz' ? instantOf(value as Date | string | null) : value;
    }
    return Object.assign(new WechatGrant(), grant);
  }
}

/** A host may have told its driver to leave instants as they come. */
export function instantOf(value: Date | string): Date;
export function instantOf(value: Date | string | null): Date | null;
export function instantOf(value: Date | string | null): Date | null {
  return typeof value === 'string' ? new Date(value) : value;
}

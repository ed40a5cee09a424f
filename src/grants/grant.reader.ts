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

/**
 * Reads rows by their keys: those that are asked for while the event loop goes round once, with one statement. Every
 * request of a userinfo route reads its row, and one by one that would be most of what the request takes.
 *
 * Nothing is kept: who asks later gets what is in the database then. It is always the primary that is asked, where the
 * host's data source has replicas too: they may lag behind a sign-in that has just ended.
 */
export class GrantReader {
  private readonly statement: string;
  private readonly loader = new DataLoader<GrantKey, WechatGrant | null>((keys) => this.read(keys), {
    cache: false,
    maxBatchSize: MAX_BATCH,
    batchScheduleFn: setImmediate,
  });

  constructor(private readonly rows: Repository<WechatGrant>) {
    const columns = rows.metadata.columns.map(({ databaseName }) => `g."${databaseName}"`).join(', ');
    this.statement = `
      SELECT ${columns} FROM unnest($1::text[], $2::text[]) AS k(app_id, openid)
      JOIN ${quotedTablePath(rows.metadata)} AS g ON g.app_id = k.app_id AND g.openid = k.openid`;
  }

  find(key: GrantKey): Promise<WechatGrant | null> {
    return this.loader.load(key);
  }

  private async read(keys: readonly GrantKey[]): Promise<(WechatGrant | null)[]> {
    const asked = new Map(keys.map((key) => [keyOf(key.appId, key.openid), key]));
    const rows: Row[] = await this.rows.query(this.statement, [
      [...asked.values()].map(({ appId }) => appId),
      [...asked.values()].map(({ openid }) => openid),
    ]);
    const found = new Map(rows.map((row) => [keyOf(String(row['app_id']), String(row['openid'])), row]));
    return keys.map(({ appId, openid }) => {
      const row = found.get(keyOf(appId, openid));
      return row ? this.entityOf(row) : null;
    });
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
function instantOf(value: Date | string | null): Date | null {
  return typeof value === 'string' ? new Date(value) : value;
}

function keyOf(appId: string, openid: string): string {
  return `${appId} ${openid}`;
}

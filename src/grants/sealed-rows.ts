import type { DataSource, EntityManager } from 'typeorm';
import type { SealPurpose } from '../common/sealer.js';
import type { GrantKey } from './grant.reader.js';
import { headerOf } from './sealing-header.js';
import { quotedTablePath } from './table-path.js';
import { WechatGrant } from './wechat-grant.entity.js';

/** What a grant keeps sealed. */
export type RowPurpose = Extract<SealPurpose, 'tokens' | 'userinfo'>;

/** What a row names as its keys, and the sealed texts themselves where that is not the key that was asked about. */
export interface SealedRow extends GrantKey {
  readonly headers: Readonly<Record<RowPurpose, string | null>>;
  readonly texts: Readonly<Record<RowPurpose, string | null>>;
}

/** A sealed text, and what is to take its place. */
export interface Replacement {
  readonly read: string;
  readonly sealed: string;
}

export interface RowReplacement extends GrantKey, Partial<Record<RowPurpose, Replacement>> {}

export interface WrittenRow extends GrantKey, Record<RowPurpose, boolean> {}

/** How long one row may be held by somebody else before the work ends with an error. */
const LOCK_TIMEOUT = '10s';

/**
 * The sealed texts of grants, as texts: read in the order of the primary key, and replaced only where they are still
 * those that were read. The version of a pair and its lease stay as they are, so whoever refreshes it notices nothing.
 */
export class SealedRows {
  private readonly table: string;

  constructor(private readonly dataSource: DataSource) {
    this.table = quotedTablePath(dataSource.getMetadata(WechatGrant));
  }

  /** @returns the rows after this one whose texts are left out where they begin with the header. */
  async page(after: GrantKey, limit: number, header: string): Promise<SealedRow[]> {
    const [tokens, userinfo] = [headerOf('sealed_tokens'), headerOf('sealed_user_info')];
    const rows = await this.dataSource.query<Record<string, string | null>[]>(
      `SELECT app_id, openid, ${tokens} AS tokens_header, ${userinfo} AS userinfo_header,
         CASE WHEN ${tokens} <> $4 THEN sealed_tokens END AS tokens,
         CASE WHEN ${userinfo} <> $4 THEN sealed_user_info END AS userinfo
       FROM ${this.table} WHERE (app_id, openid) > ($1, $2) ORDER BY app_id, openid LIMIT $3`,
      [after.appId, after.openid, limit, header],
    );
    return rows.map(({ app_id, openid, tokens_header, userinfo_header, ...texts }) => ({
      appId: app_id ?? '',
      openid: openid ?? '',
      headers: { tokens: tokens_header ?? null, userinfo: userinfo_header ?? null },
      texts: { tokens: texts['tokens'] ?? null, userinfo: texts['userinfo'] ?? null },
    }));
  }

  /** Whether there are tokens, and whether any of them begin with the header. Asks the index. */
  async tokensWith(header: string): Promise<{ exist: boolean; exist_with_header: boolean }> {
    const [found] = await this.dataSource.query<[{ exist: boolean; exist_with_header: boolean }]>(
      `SELECT EXISTS (SELECT FROM ${this.table}) AS exist,
         EXISTS (SELECT FROM ${this.table} WHERE ${headerOf('sealed_tokens')} = $1) AS exist_with_header`,
      [header],
    );
    return found;
  }

  /**
   * Replaces texts that are still as they were read. Rows that somebody else is writing just now are tried again, one
   * by one: who waits for a row while holding others, as a refresher holds those of its batch, may wait for ever.
   */
  async replace(rows: readonly RowReplacement[]): Promise<WrittenRow[]> {
    if (rows.length === 0) return [];
    const written = await this.update(this.dataSource.manager, rows, 'SKIP LOCKED');
    const names = new Set(written.map(nameOf));
    for (const row of rows.filter((one) => !names.has(nameOf(one)))) {
      written.push(
        ...(await this.dataSource.transaction(async (manager) => {
          await manager.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
          return this.update(manager, [row], '');
        })),
      );
    }
    return written;
  }

  private async update(
    manager: EntityManager,
    rows: readonly RowReplacement[],
    onLocked: 'SKIP LOCKED' | '',
  ): Promise<WrittenRow[]> {
    const column = <Value>(read: (row: RowReplacement) => Value): Value[] => rows.map(read);
    // A row that was written since the statement began is looked at again as it is now, at both places.
    return manager.query<WrittenRow[]>(
      `WITH mine AS (
         SELECT r.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
           AS r(app_id, openid, tokens_read, tokens, userinfo_read, userinfo)
         JOIN ${this.table} AS g ON g.app_id = r.app_id AND g.openid = r.openid
         WHERE g.sealed_tokens = r.tokens_read OR g.sealed_user_info = r.userinfo_read
         FOR NO KEY UPDATE OF g ${onLocked}
       ), written AS (
         UPDATE ${this.table} AS g SET
           sealed_tokens = CASE WHEN g.sealed_tokens = r.tokens_read THEN r.tokens ELSE g.sealed_tokens END,
           sealed_user_info =
             CASE WHEN g.sealed_user_info = r.userinfo_read THEN r.userinfo ELSE g.sealed_user_info END
         FROM mine AS r
         WHERE g.app_id = r.app_id AND g.openid = r.openid
           AND (g.sealed_tokens = r.tokens_read OR g.sealed_user_info = r.userinfo_read)
         RETURNING g.app_id AS "appId", g.openid, COALESCE(g.sealed_tokens = r.tokens, false) AS tokens,
           COALESCE(g.sealed_user_info = r.userinfo, false) AS userinfo
       )
       SELECT * FROM written`,
      [
        column(({ appId }) => appId),
        column(({ openid }) => openid),
        column(({ tokens }) => tokens?.read ?? null),
        column(({ tokens }) => tokens?.sealed ?? null),
        column(({ userinfo }) => userinfo?.read ?? null),
        column(({ userinfo }) => userinfo?.sealed ?? null),
      ],
    );
  }
}

/** Neither part has a blank in it, at WeChat. */
export function nameOf({ appId, openid }: GrantKey): string {
  return `${appId} ${openid}`;
}

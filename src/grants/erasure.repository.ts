import type { DataSource, EntityManager } from 'typeorm';
import { type GrantKey, instantOf } from './grant.reader.js';
import { type Revocation, type RevocationRepository, userRevocation } from './revocation.repository.js';
import { WITHDRAWAL } from './sign-in.repository.js';
import { quotedTablePath } from './table-path.js';
import { WechatGrant } from './wechat-grant.entity.js';
import { WechatSignIn } from './wechat-sign-in.entity.js';

/** A grant, and when its user was last seen. */
interface SeenGrant extends GrantKey {
  seenAt: Date | string;
}

const SEEN_AT = 'COALESCE(signed_in_at, created_at)';

/** Deletes what is stored of users, and ends their sessions with it. */
export class ErasureRepository {
  private readonly table: string;
  private readonly signIns: string;

  constructor(
    private readonly dataSource: DataSource,
    private readonly revocations: RevocationRepository,
    private readonly sessionMaxAgeMs: number,
  ) {
    this.table = quotedTablePath(dataSource.getMetadata(WechatGrant));
    this.signIns = quotedTablePath(dataSource.getMetadata(WechatSignIn));
  }

  /**
   * Forgets one user, whether there is a grant or not: a session may be all that is left.
   *
   * @param now asked once the row is locked, so that no sign-in which has completed before gets past it.
   */
  forget({ appId, openid }: GrantKey, now: () => Date): Promise<Revocation> {
    return this.dataSource.transaction(async (transaction) => {
      await transaction.delete(WechatGrant, { appId, openid });
      const revocation = userRevocation({ appId, openid }, now(), this.sessionMaxAgeMs);
      await this.finish(transaction, [{ appId, openid }], [revocation]);
      return revocation;
    });
  }

  /** @returns the next grants in the order of their key, and which of them nobody has signed in to since an instant. */
  async lookAt(
    after: GrantKey | undefined,
    seenBefore: Date,
    limit: number,
  ): Promise<{ last: GrantKey | undefined; inactive: GrantKey[] }> {
    const rows: (GrantKey & { isInactive: boolean })[] = await this.dataSource.query(
      `SELECT app_id AS "appId", openid, ${SEEN_AT} < $1 AS "isInactive" FROM ${this.table}
       WHERE (app_id, openid) > ($2, $3) ORDER BY app_id, openid LIMIT $4`,
      [seenBefore, after?.appId ?? '', after?.openid ?? '', limit],
    );
    return {
      last: rows.length < limit ? undefined : rows.at(-1),
      inactive: rows.filter(({ isInactive }) => isInactive),
    };
  }

  /**
   * Forgets users who have not signed in since an instant, and leaves those who have meanwhile, or whose row somebody is
   * writing just now.
   *
   * @returns whose grants were deleted.
   */
  purge(keys: readonly GrantKey[], seenBefore: Date, now: () => Date): Promise<GrantKey[]> {
    return this.dataSource.transaction(async (transaction) => {
      const purged: SeenGrant[] = await transaction.query(
        `WITH inactive AS (
           SELECT app_id, openid FROM ${this.table}
           WHERE (app_id, openid) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND ${SEEN_AT} < $3
           FOR UPDATE SKIP LOCKED
         ), purged AS (
           DELETE FROM ${this.table} AS g USING inactive AS i WHERE g.app_id = i.app_id AND g.openid = i.openid
           RETURNING g.app_id, g.openid, g.signed_in_at, g.created_at
         )
         SELECT app_id AS "appId", openid, ${SEEN_AT} AS "seenAt" FROM purged`,
        [keys.map(({ appId }) => appId), keys.map(({ openid }) => openid), seenBefore],
      );
      const at = now();
      // With the usual settings their last session has ended long ago, and needs no row.
      const revocations = purged
        .filter(({ seenAt }) => instantOf(seenAt).getTime() + this.sessionMaxAgeMs > at.getTime())
        .map((key) => userRevocation(key, at, this.sessionMaxAgeMs));
      await this.finish(transaction, purged, revocations);
      return purged.map(({ appId, openid }) => ({ appId, openid }));
    });
  }

  private async finish(
    transaction: EntityManager,
    users: readonly GrantKey[],
    revocations: readonly Revocation[],
  ): Promise<void> {
    await this.revocations.save(revocations, transaction);
    await transaction.query(
      `UPDATE ${this.signIns} SET ${WITHDRAWAL}
       WHERE (app_id, openid) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
      [users.map(({ appId }) => appId), users.map(({ openid }) => openid)],
    );
  }
}

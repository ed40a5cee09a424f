import { type DataSource, LessThanOrEqual, type Repository } from 'typeorm';
import type { Sealer } from '../common/sealer.js';
import { type GrantKey, instantOf } from './grant.reader.js';
import { grantAudience, type TokenPair } from './grant.repository.js';
import { quotedTablePath } from './table-path.js';
import { type PairStatus, WechatGrant } from './wechat-grant.entity.js';

/** A grant that this instance, and no other, refreshes until the lease ends. */
export interface ClaimedGrant extends GrantKey {
  /** The version of the pair that was claimed. */
  readonly pairVersion: number;
  readonly leaseId: string;
  readonly leaseExpiresAt: Date;
  readonly sealedTokens: string;
  /** When the user last completed a sign-in. */
  readonly signedInAt: Date | null;
  readonly refreshFailures: number;
  readonly pairStatus: PairStatus;
  readonly pairSuspectSince: Date | null;
  /** Since when the refresh is due, or from when on; null: it is not kept alive. */
  readonly refreshDueAt: Date | null;
}

export interface RefreshClaim {
  readonly leaseId: string;
  readonly now: Date;
  readonly leaseExpiresAt: Date;
}

/** What a refresh has come to, for one claimed grant. */
export interface RefreshResult {
  readonly claimed: ClaimedGrant;
  /** Absent where the refresh brought none. */
  readonly tokens?: TokenPair & { readonly accessTokenExpiresAt: Date };
  readonly pairStatus: PairStatus;
  readonly pairSuspectSince: Date | null;
  /** When to refresh next; null: never again. */
  readonly refreshDueAt: Date | null;
  readonly refreshFailures: number;
  readonly refreshFailedAt: Date | null;
}

/** A grant whose refresh has come to something. */
export interface WrittenGrant extends GrantKey {
  readonly pairStatus: PairStatus;
}

/** What is read of a grant that is claimed. */
const CLAIMED_COLUMNS = `g.app_id AS "appId", g.openid, g.pair_version AS "pairVersion",
  g.sealed_tokens AS "sealedTokens", g.signed_in_at AS "signedInAt", g.refresh_failures AS "refreshFailures",
  g.pair_status AS "pairStatus", g.pair_suspect_since AS "pairSuspectSince",
  g.refresh_due_at AS "refreshDueAt"`;

/** Whether nothing was learnt of the pair while it was being refreshed; new tokens are the best proof there is. */
const IS_LATEST = `(r.sealed_tokens IS NOT NULL OR g.pair_suspect_since IS NOT DISTINCT FROM r.suspect_when_claimed)`;

/**
 * Claims grants for refreshing, and writes what came of it. A claim is a lease: whoever holds it works without a lock,
 * and what it writes counts only while nothing else has changed the pair.
 */
export class RefreshRepository {
  private readonly rows: Repository<WechatGrant>;
  private readonly table: string;

  constructor(
    dataSource: DataSource,
    private readonly sealer: Sealer,
  ) {
    this.rows = dataSource.getRepository(WechatGrant);
    this.table = quotedTablePath(this.rows.metadata);
  }

  /**
   * Claims grants of an account whose refresh is due, those first that have been due for longest. Two instances that
   * claim at once get different ones.
   *
   * @see https://www.postgresql.org/docs/current/sql-update.html on a batch by `ctid`, of rows that are locked already
   */
  async claimDue(appId: string, claim: RefreshClaim, limit: number): Promise<ClaimedGrant[]> {
    // Writes to columns without an index only: PostgreSQL then has no index to maintain (a HOT update), which makes a
    // claim several times cheaper. Those that are claimed already are passed over; they are few.
    return this.claimed(
      claim,
      `WITH due AS (
         SELECT ctid FROM ${this.table}
         WHERE app_id = $4 AND refresh_due_at <= $3
           AND (refresh_lease_expires_at IS NULL OR refresh_lease_expires_at <= $3)
         ORDER BY refresh_due_at LIMIT $5 FOR UPDATE SKIP LOCKED
       )
       UPDATE ${this.table} AS g SET refresh_lease_id = $1, refresh_lease_expires_at = $2
       FROM due WHERE g.ctid = due.ctid
       RETURNING ${CLAIMED_COLUMNS}`,
      [appId, limit],
    );
  }

  async isAnyDue(appId: string, now: Date): Promise<boolean> {
    return this.rows.existsBy({ appId, refreshDueAt: LessThanOrEqual(now) });
  }

  /** Claims one grant as it was read. @returns undefined if the pair has changed, or somebody else holds the lease. */
  async claimOne(
    { appId, openid }: GrantKey,
    pairVersion: number,
    claim: RefreshClaim,
  ): Promise<ClaimedGrant | undefined> {
    const [claimed] = await this.claimed(
      claim,
      `UPDATE ${this.table} AS g SET refresh_lease_id = $1, refresh_lease_expires_at = $2
       WHERE app_id = $4 AND openid = $5 AND pair_version = $6
         AND (refresh_lease_expires_at IS NULL OR refresh_lease_expires_at <= $3)
       RETURNING ${CLAIMED_COLUMNS}`,
      [appId, openid, pairVersion],
    );
    return claimed;
  }

  /** @throws {SealError} if the row was sealed with a key that is not known here, or was tampered with. */
  refreshTokenOf(claimed: ClaimedGrant): string {
    const { rt } = this.sealer.open('tokens', grantAudience(claimed), claimed.sealedTokens);
    return rt as string;
  }

  /**
   * Writes results by one statement. One whose pair has changed since, or whose lease somebody else has taken over, is
   * left out: the newer pair stays. A failure says nothing of a pair that was rejected, or has proved itself, since it
   * was claimed: that stays as well, and the refresh is due again. A pair
   * that is kept alive no longer is not due again, whatever came of its refresh.
   *
   * @returns those that were written, with what is known of their pairs now.
   */
  async save(results: readonly RefreshResult[]): Promise<WrittenGrant[]> {
    if (results.length === 0) return [];
    const column = <Value>(read: (result: RefreshResult) => Value): Value[] => results.map(read);
    // As text, which is half the work of what pg makes of a Date.
    const instants = (read: (result: RefreshResult) => Date | null | undefined): (string | null)[] =>
      results.map((result) => read(result)?.toISOString() ?? null);
    const { rows } = this;
    const written: WrittenGrant[] | [WrittenGrant[], number] = await rows.query(
      `UPDATE ${this.table} AS g SET
         pair_version = g.pair_version + CASE WHEN r.sealed_tokens IS NULL THEN 0 ELSE 1 END,
         sealed_tokens = COALESCE(r.sealed_tokens, g.sealed_tokens),
         access_token_expires_at = COALESCE(r.access_token_expires_at, g.access_token_expires_at),
         pair_status = CASE WHEN ${IS_LATEST} THEN r.pair_status ELSE g.pair_status END,
         pair_suspect_since = CASE WHEN ${IS_LATEST} THEN r.pair_suspect_since ELSE g.pair_suspect_since END,
         refresh_due_at = CASE WHEN g.refresh_due_at IS NULL THEN NULL
           WHEN ${IS_LATEST} THEN r.refresh_due_at ELSE COALESCE(r.refresh_due_at, g.refresh_due_at) END,
         refresh_failures = r.refresh_failures, refresh_failed_at = r.refresh_failed_at,
         refresh_lease_id = NULL, refresh_lease_expires_at = NULL
       FROM unnest($1::text[], $2::text[], $3::int[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[],
         $8::timestamptz[], $9::timestamptz[], $10::int[], $11::timestamptz[], $12::timestamptz[])
         AS r(app_id, openid, pair_version, lease_id, sealed_tokens, access_token_expires_at, pair_status,
           pair_suspect_since, refresh_due_at, refresh_failures, refresh_failed_at, suspect_when_claimed)
       WHERE g.app_id = r.app_id AND g.openid = r.openid
         AND g.pair_version = r.pair_version AND g.refresh_lease_id = r.lease_id
       RETURNING g.app_id AS "appId", g.openid, g.pair_status AS "pairStatus"`,
      [
        column(({ claimed }) => claimed.appId),
        column(({ claimed }) => claimed.openid),
        column(({ claimed }) => claimed.pairVersion),
        column(({ claimed }) => claimed.leaseId),
        column((result) => this.sealed(result)),
        instants(({ tokens }) => tokens?.accessTokenExpiresAt),
        column(({ pairStatus }) => pairStatus),
        column(({ pairSuspectSince }) => pairSuspectSince),
        instants(({ refreshDueAt }) => refreshDueAt),
        column(({ refreshFailures }) => refreshFailures),
        instants(({ refreshFailedAt }) => refreshFailedAt),
        column(({ claimed }) => claimed.pairSuspectSince),
      ],
    );
    return rowsOf(written);
  }

  private sealed({ claimed, tokens }: RefreshResult): string | null {
    if (!tokens) return null;
    const { accessToken, refreshToken } = tokens;
    return this.sealer.seal('tokens', grantAudience(claimed), { at: accessToken, rt: refreshToken });
  }

  /** Runs a statement whose first parameters are the claim's. */
  private async claimed(
    { leaseId, leaseExpiresAt, now }: RefreshClaim,
    statement: string,
    parameters: unknown[],
  ): Promise<ClaimedGrant[]> {
    type Row = Omit<ClaimedGrant, 'leaseId' | 'leaseExpiresAt'>;
    const written: Row[] | [Row[], number] = await this.rows.query(statement, [
      leaseId,
      leaseExpiresAt,
      now,
      ...parameters,
    ]);
    return rowsOf(written).map((row) =>
      Object.assign(row, {
        signedInAt: instantOf(row.signedInAt),
        pairSuspectSince: instantOf(row.pairSuspectSince),
        refreshDueAt: instantOf(row.refreshDueAt),
        leaseId,
        leaseExpiresAt,
      }),
    );
  }
}

/** TypeORM answers an UPDATE with its rows and their number, and a statement that begins with WITH with the rows. */
function rowsOf<Row>(written: Row[] | [Row[], number]): Row[] {
  return Array.isArray(written[0]) ? written[0] : (written as Row[]);
}

import type { DataSource, EntityManager, Repository } from 'typeorm';
import { sha256 } from '../common/digest.js';
import type { WechatSession } from '../common/session.js';
import { type GrantKey, instantOf } from './grant.reader.js';
import { quotedTablePath } from './table-path.js';
import { type RevocationKind, WechatRevocation } from './wechat-revocation.entity.js';

/** One {@link WechatRevocation} row. */
export interface Revocation {
  readonly kind: RevocationKind;
  readonly subject: string;
  readonly revokedAt: Date;
  readonly expiresAt: Date;
}

/** Rows that are read with one statement: an instance that starts may have very many to read. */
const PAGE = 5_000;

/** Reads and writes {@link WechatRevocation} rows. */
export class RevocationRepository {
  private readonly rows: Repository<WechatRevocation>;
  private readonly table: string;

  constructor(dataSource: DataSource) {
    this.rows = dataSource.getRepository(WechatRevocation);
    this.table = quotedTablePath(this.rows.metadata);
  }

  /** @param revocations of different subjects; what was revoked before stays revoked, for the longer time. */
  async save(revocations: readonly Revocation[], transaction?: EntityManager): Promise<void> {
    if (revocations.length === 0) return;
    const column = <Value>(pick: (revocation: Revocation) => Value): Value[] => revocations.map(pick);
    await (transaction ?? this.rows).query(
      `INSERT INTO ${this.table} AS r (kind, subject, revoked_at, expires_at)
       SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
       ON CONFLICT (kind, subject) DO UPDATE SET
         revoked_at = GREATEST(r.revoked_at, EXCLUDED.revoked_at),
         expires_at = GREATEST(r.expires_at, EXCLUDED.expires_at)`,
      [
        column(({ kind }) => kind),
        column(({ subject }) => subject),
        column(({ revokedAt }) => revokedAt),
        column(({ expiresAt }) => expiresAt),
      ],
    );
  }

  /** Everything that was revoked since an instant and is not over by itself, oldest first, a part at a time. */
  async *since(instant: Date, now: Date): AsyncGenerator<readonly Revocation[], void, undefined> {
    let last: Pick<Revocation, 'revokedAt' | 'subject'> = { revokedAt: instant, subject: '' };
    for (;;) {
      // Of the primary, as every statement that is written out: a replica may lag behind a sign-out.
      const rows: Revocation[] = await this.rows.query(
        `SELECT kind, subject, revoked_at AS "revokedAt", expires_at AS "expiresAt" FROM ${this.table}
         WHERE (revoked_at, subject) > ($1, $2) AND expires_at > $3
         ORDER BY revoked_at, subject LIMIT ${PAGE}`,
        [last.revokedAt, last.subject, now],
      );
      const page = rows.map((row) => ({
        ...row,
        revokedAt: instantOf(row.revokedAt),
        expiresAt: instantOf(row.expiresAt),
      }));
      yield page;
      const end = page.at(-1);
      if (!end || page.length < PAGE) return;
      last = end;
    }
  }
}

/** Ends one session; its end by itself is the longest that this has to be kept. */
export function sessionRevocation({ id, expiresAt }: WechatSession, revokedAt: Date): Revocation {
  return { kind: 'session', subject: id, revokedAt, expiresAt };
}

/** Ends all sessions of a user. */
export function userRevocation(user: GrantKey, revokedAt: Date, sessionMaxAgeMs: number): Revocation {
  return {
    kind: 'user',
    subject: userSubject(user),
    revokedAt,
    expiresAt: new Date(revokedAt.getTime() + sessionMaxAgeMs),
  };
}

/** Recognises a user in revocations, and tells nobody who that was. */
export function userSubject({ appId, openid }: GrantKey): string {
  return sha256(`${appId} ${openid}`).toString('hex');
}

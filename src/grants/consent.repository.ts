import type { DataSource, Repository } from 'typeorm';
import type { GrantTimes } from '../common/options.js';
import { type GrantKey, instantOf } from './grant.reader.js';
import { NOT_KEPT_ALIVE } from './grant.repository.js';
import { quotedTablePath } from './table-path.js';
import { type ConsentNotice, WechatGrant } from './wechat-grant.entity.js';

/** A user whose consent ends soon is asked again once in this time, in milliseconds. */
const ASK_INTERVAL_MS = 24 * 60 * 60 * 1000;

/** A grant of which there is something new to say. */
export interface ConsentChange extends GrantKey {
  readonly notice: ConsentNotice;
  /** When there is nothing left that could be kept alive. */
  readonly endsAt: Date;
}

interface ReviewedRow extends GrantKey {
  notice: ConsentNotice | null;
  before: ConsentNotice | null;
  endsAt: Date;
}

/** Looks after the ends of consents, and of what they keep alive. */
export class ConsentRepository {
  private readonly rows: Repository<WechatGrant>;
  private readonly table: string;

  constructor(
    dataSource: DataSource,
    private readonly times: GrantTimes,
  ) {
    this.rows = dataSource.getRepository(WechatGrant);
    this.table = quotedTablePath(this.rows.metadata);
  }

  /**
   * Looks at grants whose time for that has come, and marks those whose consent ends soon or has ended. Two instances
   * that look at once look at different ones.
   *
   * @returns what has changed, and how many were looked at.
   */
  async review(now: Date, limit: number): Promise<{ looked: number; changes: ConsentChange[] }> {
    const [rows]: [ReviewedRow[], number] = await this.rows.query(
      `UPDATE ${this.table} AS g SET
         consent_notice = CASE WHEN r.ends_at <= $1 THEN 'required' WHEN r.due_at <= $1 THEN 'due' END,
         consent_review_at = CASE WHEN r.ends_at <= $1 THEN NULL WHEN r.due_at <= $1 THEN r.ends_at ELSE r.due_at END,
         refresh_due_at = CASE WHEN r.ends_at <= $1 THEN NULL ELSE g.refresh_due_at END,
         refresh_lease_id = CASE WHEN r.ends_at <= $1 THEN NULL ELSE g.refresh_lease_id END,
         refresh_lease_expires_at = CASE WHEN r.ends_at <= $1 THEN NULL ELSE g.refresh_lease_expires_at END
       FROM (
         SELECT app_id, openid, consent_notice AS before,
           LEAST(consent_expires_at, refresh_token_expires_at) AS ends_at,
           LEAST(consent_expires_at, refresh_token_expires_at) - $3 * interval '1 millisecond' AS due_at
         FROM ${this.table} WHERE consent_review_at <= $1
         ORDER BY consent_review_at LIMIT $2 FOR UPDATE SKIP LOCKED
       ) AS r
       WHERE g.app_id = r.app_id AND g.openid = r.openid
       RETURNING g.app_id AS "appId", g.openid, g.consent_notice AS notice, r.before, r.ends_at AS "endsAt"`,
      [now, limit, this.times.reconsentWindowMs],
    );
    const changes = rows.flatMap(({ appId, openid, notice, before, endsAt }) =>
      notice === null || notice === before ? [] : { appId, openid, notice, endsAt: instantOf(endsAt) },
    );
    return { looked: rows.length, changes };
  }

  /**
   * Takes the one occasion in 24 hours to ask a user again whose consent ends soon.
   *
   * @returns whether it is the caller who asks.
   */
  async takeAsk({ appId, openid }: GrantKey, now: Date): Promise<boolean> {
    const { affected } = await this.rows
      .createQueryBuilder()
      .update()
      .set({ consentAskedAt: now })
      .where(`app_id = :appId AND openid = :openid AND consent_notice = 'due'`, { appId, openid })
      .andWhere('(consent_asked_at IS NULL OR consent_asked_at <= :before)', {
        before: new Date(now.getTime() - ASK_INTERVAL_MS),
      })
      .execute();
    return affected === 1;
  }

  /** Ends a consent, so that the user is asked on WeChat's own page. @returns whether there is such a grant. */
  async require({ appId, openid }: GrantKey, now: Date): Promise<boolean> {
    const { affected } = await this.rows.update(
      { appId, openid },
      {
        consentExpiresAt: now,
        consentNotice: 'required',
        consentReviewAt: null,
        consentPopupWanted: true,
        ...NOT_KEPT_ALIVE,
      },
    );
    return affected === 1;
  }
}

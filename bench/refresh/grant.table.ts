import type { DataSource } from 'typeorm';
import type { Sealer } from '../../src/common/sealer.js';
import { grantAudience } from '../../src/grants/grant.repository.js';
import type { GrantedTokens } from './wechat.main.js';

const ROWS_AT_ONCE = 5_000;

/** Puts grants into the table by the thousand, as sign-ins with consent would have left them. */
export async function fillGrants(
  dataSource: DataSource,
  sealer: Sealer,
  granted: readonly GrantedTokens[],
): Promise<void> {
  for (let begin = 0; begin < granted.length; begin += ROWS_AT_ONCE) {
    const part = granted.slice(begin, begin + ROWS_AT_ONCE);
    await dataSource.query(
      `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
         access_token_expires_at, refresh_token_expires_at, consented_at, consent_expires_at, created_at, signed_in_at,
         refresh_due_at, refresh_failures, consent_review_at, consent_popup_wanted)
       SELECT r.app_id, r.openid, 1, 'userinfo', 'alive', 'able', r.sealed, t.now + interval '2 hours',
         t.now + interval '30 days', t.now, t.now + interval '30 days', t.now, t.now,
         t.now + interval '110 minutes', 0, t.now + interval '27 days', false
       FROM unnest($1::text[], $2::text[], $3::text[]) AS r(app_id, openid, sealed), (SELECT clock_timestamp() AS now) AS t`,
      [
        part.map(({ appId }) => appId),
        part.map(({ openid }) => openid),
        part.map((one) =>
          sealer.seal('tokens', grantAudience(one), { at: one.accessToken, rt: one.refreshToken }),
        ),
      ],
    );
  }
  await dataSource.query('VACUUM ANALYZE wechat_grant');
}

/** Lets so many of the grants, or all of them, be due now. */
export async function makeDue(dataSource: DataSource, count?: number): Promise<void> {
  await dataSource.query(
    `UPDATE wechat_grant SET refresh_due_at = clock_timestamp() - interval '1 second', refresh_lease_id = NULL,
       refresh_lease_expires_at = NULL
     WHERE (app_id, openid) IN (SELECT app_id, openid FROM wechat_grant LIMIT $1)`,
    [count ?? null],
  );
}

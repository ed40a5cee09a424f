import type { DataSource } from 'typeorm';
import type { Sealer } from '../../src/common/sealer.js';
import { grantAudience } from '../../src/grants/grant.repository.js';
import { WechatGrant } from '../../src/grants/wechat-grant.entity.js';

const ROWS_AT_ONCE = 5_000;

/** A user who has consented, with what the exchange of the code answered. */
export interface GrantedTokens {
  appId: string;
  openid: string;
  accessToken: string;
  refreshToken: string;
}

/** Puts grants into the table by the thousand, as sign-ins with consent would have left them two hours later: due. */
export async function fillGrants(
  dataSource: DataSource,
  sealer: Sealer,
  granted: readonly GrantedTokens[],
): Promise<void> {
  for (let begin = 0; begin < granted.length; begin += ROWS_AT_ONCE) {
    const part = granted.slice(begin, begin + ROWS_AT_ONCE);
    const sealed = part.map((one) =>
      sealer.seal('tokens', grantAudience(one), { at: one.accessToken, rt: one.refreshToken }),
    );
    await dataSource.query(
      `INSERT INTO wechat_grant (app_id, openid, pair_version, pair_scope, pair_status, pair_ability, sealed_tokens,
         access_token_expires_at, refresh_token_expires_at, consented_at, consent_expires_at, created_at, signed_in_at,
         refresh_due_at, refresh_failures, consent_review_at, consent_popup_wanted)
       SELECT r.app_id, r.openid, 1, 'userinfo', 'alive', 'able', r.sealed, t.now + interval '10 minutes',
         t.now + interval '30 days', t.now, t.now + interval '30 days', t.now, t.now,
         t.now - interval '1 second', 0, t.now + interval '27 days', false
       FROM unnest($1::text[], $2::text[], $3::text[]) AS r(app_id, openid, sealed),
         (SELECT clock_timestamp() AS now) AS t`,
      [part.map(({ appId }) => appId), part.map(({ openid }) => openid), sealed],
    );
  }
}

/** @returns what {@link fillGrants} has put in. */
export async function readGrants(dataSource: DataSource, sealer: Sealer): Promise<GrantedTokens[]> {
  const rows = await dataSource.getRepository(WechatGrant).find();
  return rows.map((row) => {
    const { at, rt } = sealer.open('tokens', grantAudience(row), row.sealedTokens);
    return { appId: row.appId, openid: row.openid, accessToken: String(at), refreshToken: String(rt) };
  });
}

/** Lets all grants be due now, and nobody at work on them. */
export async function makeDue(dataSource: DataSource): Promise<void> {
  await dataSource.query(
    `UPDATE wechat_grant SET refresh_due_at = clock_timestamp() - interval '1 second', refresh_lease_id = NULL,
       refresh_lease_expires_at = NULL`,
  );
}

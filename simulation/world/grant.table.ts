import pg from 'pg';
import { type Sealer, SealError } from '../../src/common/sealer.js';
import { grantAudience } from '../../src/grants/grant.repository.js';
import type { ConsentNotice, PairAbility, PairStatus } from '../../src/grants/wechat-grant.entity.js';
import type { GrantRow } from '../model/facts.js';

interface Row {
  app_id: string;
  openid: string;
  pair_status: PairStatus;
  pair_ability: PairAbility;
  consent_notice: ConsentNotice | null;
  consent_expires_at: Date | null;
  access_token_expires_at: Date;
  sealed_tokens: string;
  sealed_user_info: string | null;
}

/** What is really in the table, read past the module. */
export class GrantTable {
  private constructor(private readonly client: pg.Client) {}

  static async open(databaseUrl: string): Promise<GrantTable> {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    return new GrantTable(client);
  }

  /**
   * @param sealer has the keys that instances have at the moment.
   * @param onUnopened told of texts that do not open.
   */
  async read(sealer: Sealer, onUnopened: (openid: string) => void): Promise<Map<string, GrantRow>> {
    const { rows } = await this.client.query<Row>(
      `SELECT app_id, openid, pair_status, pair_ability, consent_notice, consent_expires_at, access_token_expires_at,
         sealed_tokens, sealed_user_info FROM wechat_grant`,
    );
    const opened = new Map<string, GrantRow>();
    for (const row of rows) {
      try {
        opened.set(row.openid, rowOf(row, sealer));
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        onUnopened(row.openid);
      }
    }
    return opened;
  }

  /** Every row of every table of the module's, as text. */
  async texts(): Promise<string[]> {
    const texts: string[] = [];
    for (const table of ['grant', 'sign_in', 'account_state', 'quota', 'revocation', 'lease']) {
      const { rows } = await this.client.query<{ text: string }>(
        `SELECT t::text AS text FROM wechat_${table} AS t`,
      );
      for (const { text } of rows) texts.push(text);
    }
    return texts;
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}

function rowOf(row: Row, sealer: Sealer): GrantRow {
  const audience = grantAudience({ appId: row.app_id, openid: row.openid });
  if (row.sealed_user_info !== null) sealer.open('userinfo', audience, row.sealed_user_info);
  const { rt } = sealer.open('tokens', audience, row.sealed_tokens);
  return {
    openid: row.openid,
    pair: String(rt),
    status: row.pair_status,
    ability: row.pair_ability,
    notice: row.consent_notice,
    consentExpiresAtMs: row.consent_expires_at?.getTime() ?? null,
    accessExpiresAtMs: row.access_token_expires_at.getTime(),
  };
}

import type { DataSource } from 'typeorm';
import type { WechatConfigurationProblem } from '../common/errors.js';
import { SystemRandomness } from '../common/randomness.js';
import { Sealer, sealHeader, type SealingKey } from '../common/sealer.js';
import type { GrantKey } from './grant.reader.js';
import { grantAudience } from './grant.repository.js';
import { headerOf, kidOf, printableKid } from './sealing-header.js';
import { quotedTablePath } from './table-path.js';
import { WechatGrant } from './wechat-grant.entity.js';

/** The index by which the headers of sealed tokens are found; TypeORM has no words for an index on an expression. */
export const SEALING_KEY_INDEX = 'wechat_grant_sealed_tokens_header_idx';

const HEADER = headerOf('sealed_tokens');
/** One row may be damaged, and so may the few that a change of keys has left; as many are not. */
const SAMPLED_ROWS = 5;
/** More retired keys than anybody has; each costs one probe of the index. */
const MAX_HEADERS = 100;

/**
 * Finds the keys that stored tokens need and this process lacks. Goes from one distinct header to the next by the
 * index, so a table of millions of rows costs a few probes. Profiles are not looked at: one that does not open is
 * fetched anew.
 *
 * @param keys those of `WECHAT_AUTH_KEYS`.
 * @returns a problem for each key id that is missing; none if all is well.
 */
export async function sealingKeyProblems(
  dataSource: DataSource,
  keys: readonly Pick<SealingKey, 'kid'>[],
): Promise<WechatConfigurationProblem[]> {
  const table = quotedTablePath(dataSource.getMetadata(WechatGrant));
  const rows = await dataSource.query<{ header: string }[]>(
    `WITH RECURSIVE distinct_headers AS (
       (SELECT ${HEADER} AS header FROM ${table} ORDER BY 1 LIMIT 1)
       UNION ALL
       SELECT (SELECT ${HEADER} FROM ${table} WHERE ${HEADER} > last.header ORDER BY 1 LIMIT 1)
       FROM distinct_headers AS last WHERE last.header IS NOT NULL
     )
     SELECT header FROM distinct_headers WHERE header IS NOT NULL LIMIT ${MAX_HEADERS}`,
  );
  const known = new Set(keys.map(({ kid }) => kid));
  return rows.flatMap(({ header }) => {
    const kid = kidOf(header);
    // Damage to a row is no setting, and mends itself at a sign-in.
    if (kid === undefined || known.has(kid)) return [];
    return [
      {
        problem: `keys (WECHAT_AUTH_KEYS) lacks the key ${printableKid(kid)}, by which tokens in wechat_grant are sealed.`,
        cure: missingKeyCure(table, header),
      },
    ];
  });
}

/** @param header one that names a key. */
export function missingKeyCure(table: string, header: string): string {
  return `Put that key back, at the end of the list. If it is lost for good, let the users of these rows sign in anew: DELETE FROM ${table} WHERE ${HEADER} = '${header}';`;
}

/**
 * Finds keys that were made anew under the id of an older one: a few stored tokens of each id are opened.
 *
 * @param keys those of `WECHAT_AUTH_KEYS`.
 * @returns a problem for each key that opens none of them; none if all is well.
 */
export async function changedKeyProblems(
  dataSource: DataSource,
  keys: readonly SealingKey[],
): Promise<WechatConfigurationProblem[]> {
  const table = quotedTablePath(dataSource.getMetadata(WechatGrant));
  const problems: WechatConfigurationProblem[] = [];
  for (const [index, key] of keys.entries()) {
    const rows = await dataSource.query<SealedRow[]>(
      `SELECT app_id AS "appId", openid, sealed_tokens AS "sealedTokens" FROM ${table} WHERE ${HEADER} = $1 LIMIT ${SAMPLED_ROWS}`,
      [sealHeader(key.kid)],
    );
    const sealer = new Sealer([key], new SystemRandomness());
    const least = index === 0 ? 1 : SAMPLED_ROWS;
    if (rows.length < least || rows.some((row) => opens(sealer, row))) continue;
    problems.push({
      problem: `keys (WECHAT_AUTH_KEYS): the key ${key.kid} is not the ${key.kid} by which tokens in wechat_grant are sealed.`,
      cure: `Put the former key back, and give the new one a name of its own. If the former is lost for good, let the users of these rows sign in anew: DELETE FROM ${table} WHERE ${HEADER} = '${sealHeader(key.kid)}';`,
    });
  }
  return problems;
}

interface SealedRow extends GrantKey {
  sealedTokens: string;
}

function opens(sealer: Sealer, row: SealedRow): boolean {
  try {
    sealer.open('tokens', grantAudience(row), row.sealedTokens);
    return true;
  } catch {
    return false;
  }
}

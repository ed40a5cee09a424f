import type { DataSource } from 'typeorm';
import type { WechatConfigurationProblem } from '../../common/errors.js';
import { wechatAuthEntities } from '../../grants/entities.js';
import { SEALING_KEY_INDEX } from '../../grants/sealing-keys.check.js';
import { quotedTablePath } from '../../grants/table-path.js';
import { WechatGrant } from '../../grants/wechat-grant.entity.js';

/**
 * What to do where every migration has run and yet an index is missing, and nothing else: to run migrations again
 * would do nothing, and no table has to go.
 *
 * @returns undefined if more than indexes is missing.
 */
export function missingIndexCure(
  dataSource: DataSource,
  problems: readonly WechatConfigurationProblem[],
): string | undefined {
  const [missing, ...others] = problems;
  if (!missing || others.length > 0) return undefined;
  const [, list] = /^The database lacks ((?:(?:, | and )?the index \w+)+)\.$/.exec(missing.problem) ?? [];
  if (list === undefined) return undefined;
  const names = list.match(/(?<=the index )\w+/g) ?? [];
  const statements = names.flatMap((name) => statementFor(dataSource, name) ?? []);
  if (statements.length < names.length) return undefined;
  return `Something has dropped what the migrations made. Make it again, as the owner of the table: ${statements.join(' ')}`;
}

function statementFor(dataSource: DataSource, name: string): string | undefined {
  if (name === SEALING_KEY_INDEX) {
    const table = quotedTablePath(dataSource.getMetadata(WechatGrant));
    return `CREATE INDEX "${name}" ON ${table} (split_part("sealed_tokens", '.', 1));`;
  }
  for (const entity of wechatAuthEntities) {
    const table = dataSource.getMetadata(entity);
    const index = table.indices.find((candidate) => candidate.name === name);
    if (!index) continue;
    const columns = index.columns.map(({ databaseName }) => `"${databaseName}"`).join(', ');
    return `CREATE ${index.isUnique ? 'UNIQUE ' : ''}INDEX "${name}" ON ${quotedTablePath(table)} (${columns});`;
  }
  return undefined;
}

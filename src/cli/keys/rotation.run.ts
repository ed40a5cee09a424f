import type { DataSource } from 'typeorm';
import type { WechatConfigurationProblem } from '../../common/errors.js';
import { sealHeader, type SealingKey } from '../../common/sealer.js';
import { KeyRotation, type KeyRotationResult } from '../../grants/key-rotation.js';
import { schemaProblems } from '../../grants/schema.check.js';
import { SealedRows } from '../../grants/sealed-rows.js';
import { changedKeyProblems } from '../../grants/sealing-keys.check.js';
import { quotedTablePath } from '../../grants/table-path.js';
import { WechatGrant } from '../../grants/wechat-grant.entity.js';
import { CommandFailure } from '../command.failure.js';
import { connect } from '../database/data.source.js';
import type { DatabaseAddress } from '../database/database.address.js';
import { describeDatabaseFailure } from '../database/database.failures.js';
import type { DatabaseOptions } from '../database/database.options.js';

/** A line of progress for so many rows that were looked at. */
const ROWS_PER_LINE = 10_000;

export interface RotationRunOptions extends DatabaseOptions {
  dryRun: boolean;
  batchSize: number;
  /** Takes a line of progress or warning. */
  tell: (line: string) => void;
}

export interface RotationRun extends KeyRotationResult {
  /** Where the tables are. */
  schema: string;
  /** The table, as statements name it. */
  table: string;
}

/** @throws {CommandFailure} */
export async function runKeyRotation(
  address: DatabaseAddress,
  keys: readonly [SealingKey, ...SealingKey[]],
  options: RotationRunOptions,
): Promise<RotationRun> {
  const dataSource = await connect(address, options);
  try {
    refuse(await schemaProblems(dataSource));
    // With a wrong key first, everything would be sealed so that no instance can open it.
    refuse(await changedKeyProblems(dataSource, [keys[0]]));
    if (!options.dryRun) await warnIfNotPromoted(dataSource, keys, options);
    const result = await new KeyRotation(dataSource, keys, {
      ...options,
      onProgress: progressLines(options),
    }).run();
    return {
      ...result,
      schema: options.schema ?? (await currentSchema(dataSource)),
      table: quotedTablePath(dataSource.getMetadata(WechatGrant)),
    };
  } catch (error) {
    if (error instanceof CommandFailure) throw error;
    const { problem, cure } = describeDatabaseFailure(error, address);
    throw new CommandFailure({
      problem,
      cure: `${cure} What has been re-sealed stays so; run rotate-keys again for the rest.`,
    });
  } finally {
    await dataSource.destroy();
  }
}

function refuse(problems: readonly WechatConfigurationProblem[]): void {
  const [first, ...others] = problems;
  if (!first) return;
  throw new CommandFailure({
    problem: first.problem,
    cure: [first.cure, ...others.flatMap(({ problem, cure }) => [problem, cure])].join('\n'),
  });
}

/** The tables show whether any instance seals with the first key, and so knows it. */
async function warnIfNotPromoted(
  dataSource: DataSource,
  [first, ...others]: readonly [SealingKey, ...SealingKey[]],
  { tell }: RotationRunOptions,
): Promise<void> {
  if (others.length === 0) return;
  const { exist, exist_with_header } = await new SealedRows(dataSource).tokensWith(sealHeader(first.kid));
  if (!exist || exist_with_header) return;
  tell(
    `warning: No tokens are sealed with ${first.kid} yet, so no instance may know it. One that does not have ${first.kid} in WECHAT_AUTH_KEYS cannot open what is re-sealed now: put it last there on every instance, then first, then run rotate-keys.`,
  );
}

function progressLines({
  dryRun,
  tell,
}: RotationRunOptions): (progress: { pass: number; rows: number; resealed: number }) => void {
  let told = 0;
  return ({ pass, rows, resealed }) => {
    const due = Math.floor(rows / ROWS_PER_LINE);
    if (rows < ROWS_PER_LINE) told = 0;
    if (due === told) return;
    told = due;
    const verb = dryRun ? 'to re-seal' : 're-sealed';
    tell(`${pass > 1 ? 'looking again: ' : ''}${rows} rows looked at, ${resealed} texts ${verb}`);
  };
}

async function currentSchema(dataSource: DataSource): Promise<string> {
  const [{ schema }] = await dataSource.query<[{ schema: string }]>('SELECT current_schema() AS schema');
  return schema;
}

import { DataSource } from 'typeorm';
import { wechatAuthMigrations } from '../../../migrations/index.js';
import { wechatAuthEntities } from '../../grants/entities.js';
import { CommandFailure } from '../command.failure.js';
import type { DatabaseAddress } from './database.address.js';
import { describeDatabaseFailure } from './database.failures.js';
import type { DatabaseOptions } from './database.options.js';

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to the database as the host does.
 *
 * @param queryTimeoutMs time limit of one statement; default: none, since a migration may take long.
 * @throws {CommandFailure}
 */
export async function connect(
  address: DatabaseAddress,
  { schema, migrationsTable }: DatabaseOptions,
  queryTimeoutMs?: number,
): Promise<DataSource> {
  try {
    return await new DataSource({
      type: 'postgres',
      url: address.url,
      ...(schema !== undefined && { schema }),
      entities: wechatAuthEntities,
      migrations: wechatAuthMigrations,
      migrationsTableName: migrationsTable,
      applicationName: 'nestjs-wechat-auth',
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      installExtensions: false,
      logging: false,
      poolSize: 1,
      extra: { ...(queryTimeoutMs !== undefined && { query_timeout: queryTimeoutMs }) },
    }).initialize();
  } catch (error) {
    throw new CommandFailure(describeDatabaseFailure(error, address));
  }
}

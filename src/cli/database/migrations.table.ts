import type { QueryRunner } from 'typeorm';
import { wechatAuthMigrations } from '../../../migrations/index.js';
import { CommandFailure } from '../command.failure.js';
import { sqlStateOf } from './database.failures.js';

/**
 * The names of this module's migrations that the table does not have yet, oldest first. Only reads, unlike
 * TypeORM's own question, which makes the table. What else is in the table is the host's.
 *
 * @throws {CommandFailure} if the table is not one of TypeORM's.
 */
export async function pendingMigrations(
  runner: QueryRunner,
  schema: string,
  migrationsTable: string,
): Promise<string[]> {
  const names = wechatAuthMigrations.map((Migration) => new Migration().name);
  const table = `"${schema}"."${migrationsTable}"`;
  const [found] = (await runner.query('SELECT to_regclass($1) IS NOT NULL AS "exists"', [table])) as [
    { exists: boolean },
  ];
  if (!found.exists) return names;
  try {
    const rows = (await runner.query(`SELECT "name" FROM ${table} WHERE "name" = ANY($1)`, [names])) as {
      name: string;
    }[];
    return names.filter((name) => !rows.some((row) => row.name === name));
  } catch (error) {
    if (sqlStateOf(error) !== '42703') throw error;
    throw new CommandFailure({
      problem: `The table ${table} is not one of TypeORM's: it has no column "name".`,
      cure: 'Name another one with --migrations-table; it is made if it is not there.',
    });
  }
}

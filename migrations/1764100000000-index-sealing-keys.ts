import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds by which keys tokens are sealed without reading the table: the header of a compact JWE, which names the key,
 * is what stands before the first dot. TypeORM cannot describe an index on an expression, hence the statements.
 */
export class IndexSealingKeys1764100000000 implements MigrationInterface {
  name = 'IndexSealingKeys1764100000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE INDEX "wechat_grant_sealed_tokens_header_idx" ON ${await schemaPrefix(queryRunner)}"wechat_grant" (split_part("sealed_tokens", '.', 1))`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `DROP INDEX ${await schemaPrefix(queryRunner)}"wechat_grant_sealed_tokens_header_idx"`,
    );
  }
}

/** The schema is the one that the host's data source names. Asked of the table, since TypeORM 0.3 and 1 have that in common. */
async function schemaPrefix(queryRunner: QueryRunner): Promise<string> {
  const table = await queryRunner.getTable('wechat_grant');
  return table?.schema === undefined ? '' : `"${table.schema.replaceAll('"', '""')}".`;
}

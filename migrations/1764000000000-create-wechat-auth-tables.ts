import { type MigrationInterface, type QueryRunner, Table, TableIndex } from 'typeorm';

/** The tables of the first release. TypeORM puts them into the schema that the host's data source names. */
export class CreateWechatAuthTables1764000000000 implements MigrationInterface {
  name = 'CreateWechatAuthTables1764000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'wechat_grant',
        columns: [
          { name: 'app_id', ...varchar(32), ...key('wechat_grant_pkey') },
          { name: 'openid', ...varchar(128), ...key('wechat_grant_pkey') },
          { name: 'unionid', ...varchar(128), isNullable: true },
          { name: 'pair_version', type: 'integer' },
          { name: 'pair_scope', ...varchar(16) },
          { name: 'pair_status', ...varchar(16) },
          { name: 'pair_ability', ...varchar(16) },
          { name: 'pair_suspect_since', type: 'timestamptz', isNullable: true },
          { name: 'sealed_tokens', type: 'text' },
          { name: 'access_token_expires_at', type: 'timestamptz' },
          { name: 'refresh_token_expires_at', type: 'timestamptz' },
          { name: 'consented_at', type: 'timestamptz', isNullable: true },
          { name: 'consent_expires_at', type: 'timestamptz', isNullable: true },
          { name: 'sealed_user_info', type: 'text', isNullable: true },
          { name: 'user_info_fetched_at', type: 'timestamptz', isNullable: true },
          { name: 'created_at', type: 'timestamptz' },
          { name: 'signed_in_at', type: 'timestamptz', isNullable: true },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'wechat_sign_in',
        columns: [
          { name: 'id', type: 'uuid', ...key('wechat_sign_in_pkey') },
          { name: 'state_digest', type: 'bytea', isNullable: true },
          { name: 'code_digest', type: 'bytea' },
          { name: 'browser_digest', type: 'bytea', isNullable: true },
          { name: 'app_id', ...varchar(32) },
          { name: 'scope', ...varchar(16), isNullable: true },
          { name: 'lease_expires_at', type: 'timestamptz', isNullable: true },
          { name: 'openid', ...varchar(128), isNullable: true },
          { name: 'sealed_outcome', type: 'text', isNullable: true },
          { name: 'completed_at', type: 'timestamptz', isNullable: true },
          { name: 'expires_at', type: 'timestamptz' },
        ],
        indices: [
          new TableIndex({
            name: 'wechat_sign_in_state_digest_key',
            columnNames: ['state_digest'],
            isUnique: true,
          }),
          new TableIndex({
            name: 'wechat_sign_in_code_digest_key',
            columnNames: ['code_digest'],
            isUnique: true,
          }),
          new TableIndex({
            name: 'wechat_sign_in_browser_idx',
            columnNames: ['browser_digest', 'completed_at'],
          }),
          new TableIndex({ name: 'wechat_sign_in_expires_at_idx', columnNames: ['expires_at'] }),
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropTable('wechat_sign_in');
    await queryRunner.dropTable('wechat_grant');
  }
}

function varchar(length: number): { type: 'varchar'; length: string } {
  return { type: 'varchar', length: String(length) };
}

function key(primaryKeyConstraintName: string): { isPrimary: true; primaryKeyConstraintName: string } {
  return { isPrimary: true, primaryKeyConstraintName };
}

import { type MigrationInterface, type QueryRunner, Table, TableIndex } from 'typeorm';

/** Sessions that are over before their time, what is found to forget a user, and who keeps the tables tidy. */
export class RevokeSessions1764300000000 implements MigrationInterface {
  name = 'RevokeSessions1764300000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: 'wechat_revocation',
        columns: [
          { name: 'kind', ...varchar(16), ...key('wechat_revocation_pkey') },
          { name: 'subject', ...varchar(64), ...key('wechat_revocation_pkey') },
          { name: 'revoked_at', type: 'timestamptz' },
          { name: 'expires_at', type: 'timestamptz' },
        ],
        indices: [
          new TableIndex({
            name: 'wechat_revocation_revoked_at_idx',
            columnNames: ['revoked_at', 'subject'],
          }),
          new TableIndex({ name: 'wechat_revocation_expires_at_idx', columnNames: ['expires_at'] }),
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'wechat_lease',
        columns: [
          { name: 'name', ...varchar(32), ...key('wechat_lease_pkey') },
          { name: 'holder_id', type: 'uuid' },
          { name: 'expires_at', type: 'timestamptz' },
        ],
      }),
    );
    await queryRunner.createIndex(
      'wechat_sign_in',
      new TableIndex({
        name: 'wechat_sign_in_user_idx',
        columnNames: ['app_id', 'openid'],
        where: '"openid" IS NOT NULL',
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropIndex('wechat_sign_in', 'wechat_sign_in_user_idx');
    await queryRunner.dropTable('wechat_lease');
    await queryRunner.dropTable('wechat_revocation');
  }
}

function varchar(length: number): { type: 'varchar'; length: string } {
  return { type: 'varchar', length: String(length) };
}

function key(primaryKeyConstraintName: string): { isPrimary: true; primaryKeyConstraintName: string } {
  return { isPrimary: true, primaryKeyConstraintName };
}

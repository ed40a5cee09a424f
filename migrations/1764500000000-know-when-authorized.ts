import { type MigrationInterface, type QueryRunner, TableColumn } from 'typeorm';

/** When the authorization of each pair was answered, so that two whose order is unknown are told from two in a row. */
export class KnowWhenAuthorized1764500000000 implements MigrationInterface {
  name = 'KnowWhenAuthorized1764500000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.addColumn(
      'wechat_grant',
      new TableColumn({ name: 'authorized_at', type: 'timestamptz', isNullable: true }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn('wechat_grant', 'authorized_at');
  }
}

import { type MigrationInterface, type QueryRunner, Table, TableColumn, TableIndex } from 'typeorm';

/** When each access token is to be refreshed and each consent to be looked at, and how each account stands. */
export class KeepTokensAlive1764200000000 implements MigrationInterface {
  name = 'KeepTokensAlive1764200000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.addColumns('wechat_grant', [
      nullable('refresh_due_at', 'timestamptz'),
      nullable('refresh_lease_id', 'uuid'),
      nullable('refresh_lease_expires_at', 'timestamptz'),
      new TableColumn({ name: 'refresh_failures', type: 'integer', default: 0 }),
      nullable('refresh_failed_at', 'timestamptz'),
      nullable('consent_review_at', 'timestamptz'),
      new TableColumn({ name: 'consent_notice', type: 'varchar', length: '16', isNullable: true }),
      nullable('consent_asked_at', 'timestamptz'),
      new TableColumn({ name: 'consent_popup_wanted', type: 'boolean', default: false }),
    ]);
    const table = await tablePath(queryRunner);
    // The defaults were for the rows that are there; new ones name every value.
    await queryRunner.query(
      `ALTER TABLE ${table} ALTER "refresh_failures" DROP DEFAULT, ALTER "consent_popup_wanted" DROP DEFAULT`,
    );
    // Room on each page for a second version of a row: a claim then touches no index.
    await queryRunner.query(`ALTER TABLE ${table} SET (fillfactor = 85)`);
    // The service looks at each of them once and sets what is right.
    await queryRunner.query(
      `UPDATE ${table} SET
         "refresh_due_at" = CASE WHEN "pair_status" <> 'dead' AND "pair_ability" <> 'unable' THEN "access_token_expires_at" END,
         "consent_review_at" = "consented_at"
       WHERE "consent_expires_at" IS NOT NULL`,
    );
    await queryRunner.createIndices('wechat_grant', [
      new TableIndex({
        name: 'wechat_grant_refresh_due_idx',
        columnNames: ['app_id', 'refresh_due_at'],
        where: '"refresh_due_at" IS NOT NULL',
      }),
      new TableIndex({
        name: 'wechat_grant_consent_review_idx',
        columnNames: ['consent_review_at'],
        where: '"consent_review_at" IS NOT NULL',
      }),
    ]);
    await queryRunner.createTable(
      new Table({
        name: 'wechat_account_state',
        columns: [
          {
            name: 'app_id',
            type: 'varchar',
            length: '32',
            isPrimary: true,
            primaryKeyConstraintName: 'wechat_account_state_pkey',
          },
          { name: 'stopped_at', type: 'timestamptz', isNullable: true },
          { name: 'stopped_by_errcode', type: 'integer', isNullable: true },
          { name: 'probe_at', type: 'timestamptz', isNullable: true },
          { name: 'window_started_at', type: 'timestamptz' },
          { name: 'window_refreshes', type: 'integer' },
          { name: 'window_rejections', type: 'integer' },
          { name: 'marking_stopped_at', type: 'timestamptz', isNullable: true },
        ],
      }),
    );
    await queryRunner.createTable(
      new Table({
        name: 'wechat_quota',
        columns: [
          {
            name: 'app_id',
            type: 'varchar',
            length: '32',
            isPrimary: true,
            primaryKeyConstraintName: 'wechat_quota_pkey',
          },
          {
            name: 'endpoint',
            type: 'varchar',
            length: '16',
            isPrimary: true,
            primaryKeyConstraintName: 'wechat_quota_pkey',
          },
          { name: 'minute', type: 'timestamptz' },
          { name: 'calls', type: 'integer' },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE ${await tablePath(queryRunner)} RESET (fillfactor)`);
    await queryRunner.dropTable('wechat_quota');
    await queryRunner.dropTable('wechat_account_state');
    for (const index of ['wechat_grant_consent_review_idx', 'wechat_grant_refresh_due_idx']) {
      await queryRunner.dropIndex('wechat_grant', index);
    }
    await queryRunner.dropColumns('wechat_grant', [
      'refresh_due_at',
      'refresh_lease_id',
      'refresh_lease_expires_at',
      'refresh_failures',
      'refresh_failed_at',
      'consent_review_at',
      'consent_notice',
      'consent_asked_at',
      'consent_popup_wanted',
    ]);
  }
}

function nullable(name: string, type: 'timestamptz' | 'uuid'): TableColumn {
  return new TableColumn({ name, type, isNullable: true });
}

/** In the schema that the host's data source names; asked of the table, which TypeORM 0.3 and 1 have in common. */
async function tablePath(queryRunner: QueryRunner): Promise<string> {
  const table = await queryRunner.getTable('wechat_grant');
  const schema = table?.schema === undefined ? '' : `"${table.schema.replaceAll('"', '""')}".`;
  return `${schema}"wechat_grant"`;
}

import type { OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { WechatConfigurationError } from '../common/errors.js';
import { wechatAuthEntities } from './entities.js';

/** Finds at start, rather than at the first sign-in, that the database is not ready. */
export class SchemaCheck implements OnModuleInit {
  constructor(private readonly dataSource: DataSource) {}

  /** @throws {WechatConfigurationError} naming what is missing and how to get it. */
  async onModuleInit(): Promise<void> {
    const { type, entityPrefix } = this.dataSource.options;
    if (type !== 'postgres') {
      throw new WechatConfigurationError([
        `The TypeORM data source is of type ${type}. Use PostgreSQL: TypeOrmModule.forRoot({ type: 'postgres', ... }).`,
      ]);
    }
    if (entityPrefix) {
      throw new WechatConfigurationError([
        'The TypeORM data source has an entityPrefix, which migrations do not follow. Use the option schema instead, or a data source of its own for this module.',
      ]);
    }
    if (!wechatAuthEntities.every((entity) => this.dataSource.hasMetadata(entity))) {
      throw new WechatConfigurationError([
        'The TypeORM data source does not know the entities of this module. Set autoLoadEntities: true, or entities: [...wechatAuthEntities], in TypeOrmModule.forRoot().',
      ]);
    }
    const missing = await this.missingTables();
    if (missing.length > 0) {
      throw new WechatConfigurationError([
        `The database lacks ${missing.join(' and ')}. Run the migrations: TypeOrmModule.forRoot({ ..., migrations: [...wechatAuthMigrations], migrationsRun: true }), or add wechatAuthMigrations to the data source of your own migration command.`,
      ]);
    }
  }

  private async missingTables(): Promise<string[]> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const missing: string[] = [];
      for (const entity of wechatAuthEntities) {
        const { tablePath } = this.dataSource.getMetadata(entity);
        if (!(await runner.hasTable(tablePath))) missing.push(`the table ${tablePath}`);
      }
      return missing;
    } finally {
      await runner.release();
    }
  }
}

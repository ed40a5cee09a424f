import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { KeyRotation } from '../../src/grants/key-rotation.js';
import { wechatAuthEntities } from '../../src/index.js';
import { KEYS } from './keys.js';

/** Seals all rows anew with the key of this name, as `rotate-keys` does, a few rows at a time. */
async function main(databaseUrl: string, kid: string): Promise<void> {
  const dataSource = new DataSource({
    type: 'postgres',
    url: databaseUrl,
    entities: [...wechatAuthEntities],
  });
  await dataSource.initialize();
  try {
    const [first, second] = KEYS;
    const keys = first.kid === kid ? ([first, second] as const) : ([second, first] as const);
    await new KeyRotation(dataSource, keys, { batchSize: 2, dryRun: false }).run();
  } finally {
    await dataSource.destroy();
  }
}

const [databaseUrl = '', kid = ''] = process.argv.slice(2);
main(databaseUrl, kid).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});

import { CreateWechatAuthTables1764000000000 } from './1764000000000-create-wechat-auth-tables.js';
import { IndexSealingKeys1764100000000 } from './1764100000000-index-sealing-keys.js';

/** For the host's `TypeOrmModule.forRoot({ migrations: [...wechatAuthMigrations] })`; oldest first. */
export const wechatAuthMigrations = [CreateWechatAuthTables1764000000000, IndexSealingKeys1764100000000];

import { CreateWechatAuthTables1764000000000 } from './1764000000000-create-wechat-auth-tables.js';
import { IndexSealingKeys1764100000000 } from './1764100000000-index-sealing-keys.js';
import { KeepTokensAlive1764200000000 } from './1764200000000-keep-tokens-alive.js';
import { RevokeSessions1764300000000 } from './1764300000000-revoke-sessions.js';
import { KnowWhenAuthorized1764500000000 } from './1764500000000-know-when-authorized.js';

/** For the host's `TypeOrmModule.forRoot({ migrations: [...wechatAuthMigrations] })`; oldest first. */
export const wechatAuthMigrations = [
  CreateWechatAuthTables1764000000000,
  IndexSealingKeys1764100000000,
  KeepTokensAlive1764200000000,
  RevokeSessions1764300000000,
  KnowWhenAuthorized1764500000000,
];

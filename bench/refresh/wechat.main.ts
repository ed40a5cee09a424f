import { DataSource } from 'typeorm';
import { Sealer } from '../../src/common/sealer.js';
import { SystemRandomness } from '../../src/common/randomness.js';
import { createWechatEmulator } from '../../src/emulator/index.js';
import { wechatAuthEntities, wechatAuthMigrations } from '../../src/index.js';
import { serve } from '../server.process.js';
import { fillGrants, type GrantedTokens } from './grant.table.js';
import { KEY } from './host.js';

export interface EmulatedWechat {
  origin: string;
  accounts: { appId: string; appSecret: string }[];
}

/**
 * WeChat with so many accounts, at each of which so many users have consented, and a database in which all of them are
 * due.
 */
void serve(async (databaseUrl, accountCount, userCount): Promise<EmulatedWechat> => {
  const accounts = Array.from({ length: Number(accountCount) }, (_, index) => ({
    appId: `wx${index.toString(16).padStart(16, '0')}`,
    appSecret: 'bench',
    redirectDomains: ['localhost'],
  }));
  const wechat = await createWechatEmulator({
    apps: accounts,
    users: Number(userCount),
    quotaPerMinute: false,
  });
  const dataSource = await new DataSource({
    type: 'postgres',
    url: databaseUrl,
    entities: wechatAuthEntities,
    migrations: wechatAuthMigrations,
  }).initialize();
  await dataSource.runMigrations();
  const sealer = new Sealer([KEY], new SystemRandomness());
  for (const { appId } of accounts) {
    const granted: GrantedTokens[] = [];
    for (const { openid } of wechat.users) {
      const tokens = await wechat.user(openid).authorize('snsapi_userinfo', appId);
      const { access_token: accessToken, refresh_token: refreshToken } = tokens;
      granted.push({ appId, openid: tokens.openid, accessToken, refreshToken });
    }
    await fillGrants(dataSource, sealer, granted);
  }
  await dataSource.query('VACUUM ANALYZE wechat_grant');
  await dataSource.destroy();
  return { origin: wechat.url, accounts };
});

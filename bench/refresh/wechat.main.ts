import { createWechatEmulator } from '../../src/emulator/index.js';
import { serve } from '../server.process.js';

/** A user who has consented, with what the exchange of the code answered. */
export interface GrantedTokens {
  appId: string;
  openid: string;
  accessToken: string;
  refreshToken: string;
}

export interface EmulatedWechat {
  origin: string;
  accounts: { appId: string; appSecret: string }[];
  granted: GrantedTokens[];
}

/** WeChat with so many accounts, at each of which so many users have consented. */
void serve(async (accountCount, userCount): Promise<EmulatedWechat> => {
  const apps = Array.from({ length: Number(accountCount) }, (_, index) => ({
    appId: `wx${index.toString(16).padStart(16, '0')}`,
    appSecret: 'bench',
    redirectDomains: ['localhost'],
  }));
  const wechat = await createWechatEmulator({ apps, users: Number(userCount), quotaPerMinute: false });
  const granted: GrantedTokens[] = [];
  for (const { openid } of wechat.users) {
    for (const { appId } of apps) {
      const tokens = await wechat.user(openid).authorize('snsapi_userinfo', appId);
      granted.push({
        appId,
        openid: tokens.openid,
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
      });
    }
  }
  return { origin: wechat.url, accounts: apps, granted };
});

import { createWechatEmulator } from '../../src/emulator/index.js';
import { serve } from '../server.process.js';

/** What can be called, one path for each user. */
export interface Calls {
  origin: string;
  refresh: string[];
  userinfo: string[];
}

const USERS = 6_400;

void serve(async (): Promise<Calls> => {
  const wechat = await createWechatEmulator({ users: USERS, quotaPerMinute: false });
  const appId = wechat.apps[0]?.appId ?? '';
  const calls: Calls = { origin: wechat.url, refresh: [], userinfo: [] };
  for (const { openid } of wechat.users) {
    const tokens = await wechat.user(openid).authorize('snsapi_userinfo');
    const refresh = {
      appid: appId,
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
    };
    const userinfo = { access_token: tokens.access_token, openid, lang: 'zh_CN' };
    calls.refresh.push(`/sns/oauth2/refresh_token?${new URLSearchParams(refresh).toString()}`);
    calls.userinfo.push(`/sns/userinfo?${new URLSearchParams(userinfo).toString()}`);
  }
  return calls;
});

// node-easywechat's official account: its OAuth is node-socialite, and both speak through axios.
import easywechat from 'node-easywechat';
import { takeCommands } from './command.loop.mjs';

const { APP_ID, APP_SECRET } = process.env;
const account = new easywechat.OfficialAccount({ app_id: APP_ID, secret: APP_SECRET });
const oauth = (scope) => account.getOAuth().scopes([scope]);

takeCommands({
  redirect: (redirectUri, state, scope) => oauth(scope).withState(state).redirect(redirectUri),
  tokenFromCode: (code) => oauth('snsapi_base').tokenFromCode(code),
  userFromCode: (code, scope) => oauth(scope).userFromCode(code),
  userFromToken: (token, openid) => oauth('snsapi_userinfo').withOpenid(openid).userFromToken(token),
  // It refreshes nothing by itself; its HTTP client is at hand for what it lacks.
  refresh: async (refreshToken) => {
    const params = { appid: APP_ID, grant_type: 'refresh_token', refresh_token: refreshToken };
    const response = await account.getHttpClient().request('GET', '/sns/oauth2/refresh_token', { params });
    return response.toObject();
  },
});

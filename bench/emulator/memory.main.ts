import { createWechatEmulator } from '../../src/emulator/index.js';
import { serve } from '../server.process.js';

void serve(async (count) => {
  const wechat = await createWechatEmulator({ users: Number(count), quotaPerMinute: false });
  const some: { access_token: string; openid: string }[] = [];
  for (const [index, { openid }] of wechat.users.entries()) {
    const { access_token } = await wechat.user(openid).authorize('snsapi_userinfo');
    if (index % 10_000 === 0) some.push({ access_token, openid });
  }
  for (const query of some) {
    const answer = await (
      await fetch(`${wechat.url}/sns/auth?${new URLSearchParams(query).toString()}`)
    ).text();
    if (answer !== '{"errcode":0,"errmsg":"ok"}') throw new Error(`A token is not alive: ${answer}`);
  }
  return { peakMebibytes: process.resourceUsage().maxRSS / 1024 };
});

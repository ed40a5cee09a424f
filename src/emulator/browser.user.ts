import type { WechatEmulatorUser } from './emulator.types.js';
import {
  redirectResponse,
  textResponse,
  type EmulatorRequest,
  type EmulatorResponse,
} from './http.messages.js';
import type { WechatPlatform } from './platform.js';

const COOKIE = 'wechat_emulator_user';

/** @returns who uses WeChat in this browser: the choice made on a page, else the one who is signed in everywhere. */
export function currentUser(platform: WechatPlatform, request: EmulatorRequest): WechatEmulatorUser {
  const [, chosen, count] = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]+)\\.(\\d+)`).exec(request.cookie) ?? [];
  const isCurrent = Number(count) === platform.signedIn.count;
  const user = (isCurrent && platform.findUser(chosen ?? '')) || platform.findUser(platform.signedIn.userId);
  if (!user) {
    throw new Error(`The emulator has no user ${platform.signedIn.userId}.`);
  }
  return user;
}

/** `POST /emulator/switch-user`: the emulator's own aid on its pages. Goes back to the page it came from. */
export function answerSwitchUser(platform: WechatPlatform, request: EmulatorRequest): EmulatorResponse {
  const user = platform.findUser(request.form.get('openid') ?? '');
  if (!user) {
    return textResponse(400, 'No such user.');
  }
  const query = request.form.get('authorize');
  const response = redirectResponse(query ? `/connect/oauth2/authorize?${query}` : '/', 303);
  const cookie = `${COOKIE}=${user.openid}.${String(platform.signedIn.count)}; Path=/; HttpOnly; SameSite=Lax`;
  return { ...response, headers: { ...response.headers, 'set-cookie': cookie } };
}

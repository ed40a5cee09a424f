import { parseCookie, stringifySetCookie } from 'cookie';
import {
  redirectResponse,
  textResponse,
  type EmulatorRequest,
  type EmulatorResponse,
} from './http.messages.js';
import type { Person } from './people.js';
import type { WechatPlatform } from './platform.js';

const COOKIE = 'wechat_emulator_user';

/** @returns who uses WeChat in this browser: the choice made on a page, else the one who is signed in everywhere. */
export function currentUser(platform: WechatPlatform, request: EmulatorRequest): Person {
  // The openid may be any text, also one with points in it.
  const [, chosen, count] = /^(.+)\.(\d+)$/s.exec(parseCookie(request.cookie)[COOKIE] ?? '') ?? [];
  const isCurrent = Number(count) === platform.signedIn.count;
  const chosenOne = isCurrent ? platform.people.find(chosen ?? '') : undefined;
  return chosenOne ?? platform.people.get(platform.signedIn.userId);
}

/** `POST /emulator/switch-user`: the emulator's own aid on its pages. Goes back to the page it came from. */
export function answerSwitchUser(platform: WechatPlatform, request: EmulatorRequest): EmulatorResponse {
  const user = platform.people.find(request.form.get('openid') ?? '');
  if (!user) {
    return textResponse(400, 'No such user.');
  }
  const query = request.form.get('authorize');
  const response = redirectResponse(query ? `/connect/oauth2/authorize?${query}` : '/', 303);
  const cookie = stringifySetCookie({
    name: COOKIE,
    value: `${user.openid}.${String(platform.signedIn.count)}`,
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
  });
  return { ...response, headers: { ...response.headers, 'set-cookie': cookie } };
}

import { createHash } from 'node:crypto';
import { html, type Html } from './html.js';
import type { EmulatorResponse } from './http.messages.js';
import { percentDecoded } from './identifiers.js';
import type { WechatPlatform } from './platform.js';

/** A square of `size` pixels with the name's first character, in a colour of its own for each id. */
export function drawAvatar(id: string, name: string, size = 44): Html {
  const hue = createHash('sha256').update(id).digest().readUInt16BE(0) % 360;
  const [initial = ''] = name;
  return html`<svg
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 44 44"
    width="${String(size)}"
    height="${String(size)}"
    aria-hidden="true"
  >
    <rect width="44" height="44" fill="hsl(${String(hue)} 42% 48%)" />
    <text
      x="22"
      y="23"
      fill="#fff"
      font-size="21"
      font-family="'PingFang SC','Microsoft YaHei','Noto Sans CJK SC','WenQuanYi Micro Hei',sans-serif"
      text-anchor="middle"
      dominant-baseline="central"
    >
      ${initial}
    </text>
  </svg>`;
}

/**
 * The avatars behind the addresses that the emulator made up: `/mmopen/vi_32/<openid>/<size>`. The size 0 is 640 pixels.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo
 */
export function avatarResponse(platform: WechatPlatform, path: string): EmulatorResponse | undefined {
  const [, openid = '', size = ''] = /^\/mmopen\/vi_32\/([^/]+)\/(0|46|64|96|132)$/.exec(path) ?? [];
  const user = platform.people.find(percentDecoded(openid));
  return (
    user && {
      status: 200,
      headers: { 'content-type': 'image/svg+xml' },
      body: drawAvatar(user.openid, user.nickname, Number(size) || 640).text,
    }
  );
}

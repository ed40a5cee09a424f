import type { SerializeOptions } from 'cookie';
import { sha256 } from '../common/digest.js';
import type { PublicUrl } from '../common/public-url.js';
import type { WechatSessionScope } from '../common/session.js';
import { publicUrlId } from './public-urls.js';

/**
 * Names a cookie so that two applications on one host, or two accounts in one application, never share it.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6265bis section 4.1.3.2, for `__Host-`
 */
export function scopedCookieName(name: string, { appId, publicUrl }: WechatSessionScope): string {
  const digest = sha256(`${publicUrlId(publicUrl)} ${appId}`)
    .toString('hex')
    .slice(0, 16);
  return `${isHttps(publicUrl) ? '__Host-' : ''}${name}_${digest}`;
}

/**
 * Works something out once for each account and public URL. There are as many as the configuration has, and what
 * belongs to them never changes.
 */
export function oncePerScope<T>(workOut: (scope: WechatSessionScope) => T): (scope: WechatSessionScope) => T {
  const known = new WeakMap<PublicUrl, Map<string, T>>();
  return (scope) => {
    const { appId, publicUrl } = scope;
    let ofUrl = known.get(publicUrl);
    if (!ofUrl) known.set(publicUrl, (ofUrl = new Map<string, T>()));
    let value = ofUrl.get(appId);
    if (value === undefined) ofUrl.set(appId, (value = workOut(scope)));
    return value;
  };
}

/** Attributes that every cookie of ours has; `__Host-` names ask for just these. */
export function cookieOptions(publicUrl: PublicUrl): SerializeOptions {
  return { httpOnly: true, sameSite: 'lax', path: '/', secure: isHttps(publicUrl) };
}

function isHttps(publicUrl: PublicUrl): boolean {
  return publicUrl.origin.startsWith('https:');
}

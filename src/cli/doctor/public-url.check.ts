import { isIP } from 'node:net';
import type { PublicUrl } from '../../common/public-url.js';
import { error, type Finding, notChecked, ok, warning } from './finding.js';
import type { Settings } from './settings.js';
import { isRealOpenBaseUrl } from './wechat.addresses.js';

/** What WeChat's console takes, and no more: letters, digits, hyphens and dots. */
const REGISTRABLE = /^[a-z0-9-]+(\.[a-z0-9-]+)+$/;
const SHORT_LINKS = ['t.cn', 'url.cn', 'dwz.cn', 'suo.im', 'bit.ly', 'tinyurl.com', 'w.url.cn'];
/** Ends of names that no public name server knows. */
const NOT_PUBLIC = /\.(local|localhost|internal|lan|test|example|invalid|home\.arpa)$/;
/** Kept for documents (RFC 2606): nobody can own them. */
const PLACEHOLDER = /(^|\.)example\.(com|net|org)$/;
/** As many as accounts are reported to be allowed. */
const MAX_DOMAINS = 2;
const SANDBOX = 'Only a sandbox account (公众平台测试号) takes such an address.';

/**
 * The public URL against WeChat's rules for the domain of redirect URIs (网页授权域名).
 *
 * @see https://developers.weixin.qq.com/doc/service/guide/h5/auth.html
 */
export function checkPublicUrls({ publicUrls, openBaseUrl, path }: Settings): Finding[] {
  if (!publicUrls)
    return [
      notChecked(
        'public-url',
        'the public URL',
        'since WECHAT_PUBLIC_URL is missing or wrong (see environment)',
      ),
    ];
  if (openBaseUrl !== undefined && !isRealOpenBaseUrl(openBaseUrl)) {
    const list = publicUrls.map(({ origin, basePath }) => origin + basePath).join(', ');
    return [
      ok('public-url', `${list}, with an emulator or a proxy in WeChat's place, which has rules of its own.`),
    ];
  }
  const findings = publicUrls.flatMap((publicUrl) => checkPublicUrl(publicUrl, path));
  if (publicUrls.length > MAX_DOMAINS) {
    findings.push(
      warning(
        'public-url',
        `WECHAT_PUBLIC_URL has ${publicUrls.length} entries; an account is reported to take two domains.`,
        'See how many 网页授权域名 the console takes, and lead the others to a registered one.',
      ),
    );
  }
  return findings;
}

function checkPublicUrl({ origin, basePath }: PublicUrl, path: string): Finding[] {
  const { hostname, port } = new URL(origin);
  const wrong = wrongWith(hostname, port);
  if (wrong) return [wrong];
  return [
    ok('public-url', `${origin}${basePath}: sign-ins come back to ${origin}${basePath}${path}/callback.`),
    ok('public-url', `${whatToEnter(hostname)} ${whatElse(hostname)}`),
  ];
}

function wrongWith(hostname: string, port: string): Finding | undefined {
  const cure =
    'Set WECHAT_PUBLIC_URL to the https address of a domain that is registered at WeChat as 网页授权域名.';
  if (/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) {
    return error(
      'public-url',
      `${hostname} is this machine, where WeChat sends nobody. ${SANDBOX}`,
      `${cure} To develop on this machine, start the emulator of nestjs-wechat-auth/emulator and set WECHAT_OPEN_BASE_URL and WECHAT_API_BASE_URL to it.`,
    );
  }
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) {
    return error(
      'public-url',
      `${hostname} is an IP address, which WeChat does not register. ${SANDBOX}`,
      cure,
    );
  }
  if (port !== '') {
    return error(
      'public-url',
      `${hostname}:${port} has a port, which WeChat does not register. ${SANDBOX}`,
      'Serve the application on port 443, through a reverse proxy for example, and leave the port out of WECHAT_PUBLIC_URL.',
    );
  }
  if (!REGISTRABLE.test(hostname)) {
    const reason = hostname.includes('.')
      ? 'has a character that WeChat does not register: only letters, digits, hyphens and dots are'
      : 'is not a whole domain name, like shop.example.com';
    return error('public-url', `${hostname} ${reason}.`, cure);
  }
  if (NOT_PUBLIC.test(hostname)) {
    return error(
      'public-url',
      `${hostname} is not a public domain, so WeChat cannot check that it is yours.`,
      cure,
    );
  }
  if (PLACEHOLDER.test(hostname)) {
    return error('public-url', `${hostname} is a placeholder of documents, which nobody can register.`, cure);
  }
  if (SHORT_LINKS.includes(hostname)) {
    return error(
      'public-url',
      `${hostname} is a domain of short links, which WeChat does not register.`,
      cure,
    );
  }
  return undefined;
}

function whatToEnter(hostname: string): string {
  return `At WeChat (微信公众平台 mp.weixin.qq.com → 设置与开发 → 公众号设置 / 账号设置 → 功能设置 → 网页授权域名) enter exactly: ${hostname}`;
}

function whatElse(hostname: string): string {
  const other = hostname.startsWith('www.') ? hostname.slice('www.'.length) : `www.${hostname}`;
  return `(this does not cover ${other} or any other host). Serve the file MP_verify_….txt that WeChat gives you at https://${hostname}/. A domain served from mainland China needs its ICP filing (备案).`;
}

import { parseUrl } from '../common/parsed-url.js';
import type { PublicUrl } from '../common/public-url.js';
import { isFilled, repeated, splitList } from './lists.js';
import { isQuoted, type Problems, type Setting } from './settings.reader.js';
import { listOf, requiredText } from './values.check.js';

const PLAIN_HTTP = 'plain http outside this machine';
/** What is typed where a plain comma is meant. */
const NO_SEPARATOR = /[，、；;]/;

/**
 * @param path where the module's own routes are, with a slash before and none at the end.
 * @returns where people reach the application; undefined if any entry is wrong.
 */
export function checkPublicUrls(
  setting: Setting,
  problems: Problems,
  path = '/wechat',
): readonly [PublicUrl, ...PublicUrl[]] | undefined {
  const before = problems.list.length;
  const { name } = setting;
  const cure =
    'Set it to where people reach the application, for example https://shop.example.com; several are separated by commas.';
  const text = requiredText(setting, cure, problems);
  if (text === undefined) return undefined;
  const entries = splitList(text);
  if (entries.length === 0) problems.add(`${name} is missing: it holds nothing but commas.`, cure);
  const urls = entries.map((entry, index) => {
    const place = entries.length === 1 ? name : `${name}: entry ${index + 1}`;
    return checkPublicUrl(place, entry, path, problems);
  });
  const publicUrls = urls.flatMap((url) => {
    if (!url) return [];
    if (isPlainHttp(url)) {
      problems.add(
        `${name} has ${url.origin}: ${PLAIN_HTTP}.`,
        'Use https; cookies would travel in the clear.',
      );
    }
    return [{ origin: url.origin, host: url.host, basePath: basePathOf(url) }];
  });
  for (const host of repeated(publicUrls.map((publicUrl) => publicUrl.host))) {
    problems.add(
      `${name} names the host ${host} twice.`,
      'Keep one entry for each host, since the host is what chooses among them.',
    );
  }
  return problems.list.length === before && isFilled(publicUrls) ? publicUrls : undefined;
}

function checkPublicUrl(place: string, text: string, path: string, problems: Problems): URL | undefined {
  const separator = NO_SEPARATOR.exec(text)?.[0];
  if (separator !== undefined) {
    problems.add(
      `${place} has "${separator}" in it.`,
      'Separate several by a plain comma: https://a.example.com,https://b.example.com.',
    );
    return undefined;
  }
  const cure = 'Write it like https://shop.example.com/path.';
  const url = checkAddress(place, text, cure, problems);
  if (!url) return undefined;
  const basePath = basePathOf(url);
  if (basePath.includes('//')) problems.add(`${place} has two slashes in a row in its path.`, cure);
  const route = ['callback', 'sign-in', 'consent', 'sign-out']
    .map((name) => `${path}/${name}`)
    .find((each) => basePath.endsWith(each));
  if (route !== undefined) {
    problems.add(`${place} ends in ${route}, a route of this module.`, 'Leave that part out.');
  }
  return url;
}

function basePathOf(url: URL): string {
  return url.pathname.replace(/\/+$/, '');
}

/** @returns where WeChat is, without a slash at the end. */
export function checkBaseUrl(setting: Setting, realUrl: string, problems: Problems): string {
  const { name, value } = setting;
  if (value === undefined) return realUrl;
  const cure = 'Leave it out for the real WeChat; an emulator’s is like http://localhost:3010.';
  const text = requiredText(setting, cure, problems);
  const url = text === undefined ? undefined : checkAddress(name, text, cure, problems);
  if (url && isPlainHttp(url)) {
    problems.add(`${name} is ${PLAIN_HTTP}.`, 'Use https; the app secret travels there.');
  }
  return text?.replace(/\/+$/, '') ?? realUrl;
}

/**
 * People who confirm at an emulator bring back a code that the real WeChat does not know, so no sign-in can end. The
 * other way round is no contradiction: WeChat's API may be reached by a proxy on this machine.
 */
export function checkSameWechat(openBaseUrl: string, apiBaseUrl: string, problems: Problems): void {
  const [open, api] = [parseUrl(openBaseUrl), parseUrl(apiBaseUrl)];
  if (!open || !api || !isLoopback(open) || !api.hostname.endsWith('.weixin.qq.com')) return;
  problems.add(
    `openBaseUrl (WECHAT_OPEN_BASE_URL) leads to this machine, but apiBaseUrl (WECHAT_API_BASE_URL) to the real WeChat, ${api.host}.`,
    'Set both for an emulator; leave both out for the real WeChat.',
  );
}

/** @returns the origins that were listed. */
export function checkOrigins(setting: Setting, problems: Problems): readonly string[] {
  const cure = "Write scheme, host and port alone: ['https://admin.example.com'].";
  return listOf(setting, cure, problems).flatMap((entry) => {
    const text = requiredText(entry, cure, problems);
    const url = text === undefined ? undefined : checkAddress(entry.name, text, cure, problems);
    if (!url) return [];
    if (isPlainHttp(url)) {
      problems.add(
        `${entry.name} is ${PLAIN_HTTP}.`,
        'Use https; anybody on the way could send requests from there.',
      );
    } else if (url.origin !== text) {
      problems.add(
        `${entry.name} is not an origin: it has a path, a standard port or capital letters.`,
        cure,
      );
    }
    return [url.origin];
  });
}

/** @returns the path of the module's own routes, with a slash before and none at the end. */
export function checkPath(setting: Setting, defaultPath: string, problems: Problems): string {
  if (setting.value === undefined) return defaultPath;
  const cure = 'Write it like /wechat: letters, digits, ".", "_", "~", "-" and slashes.';
  const text = requiredText(setting, cure, problems);
  const trimmed = (text ?? defaultPath).replace(/^\/+|\/+$/g, '');
  if (!/^[\w.~-]+(\/[\w.~-]+)*$/.test(trimmed) || trimmed.split('/').some((part) => /^\.{1,2}$/.test(part))) {
    problems.add(`${setting.name} is not a plain path.`, cure);
  }
  return `/${trimmed}`;
}

/** The address is not repeated in the message: it may hold a password. */
function checkAddress(place: string, text: string, cure: string, problems: Problems): URL | undefined {
  const oddity = oddityOf(text);
  if (oddity === undefined) return new URL(text);
  problems.add(`${place} ${oddity}.`, cure);
  return undefined;
}

function oddityOf(text: string): string | undefined {
  if (isQuoted(text)) return 'has quotes around it';
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return 'has no https:// before it';
  if (!/^https?:/i.test(text)) return 'is neither http nor https';
  const url = parseUrl(text);
  if (!url) return 'is no valid address';
  if (url.username !== '' || url.password !== '') return 'has a user name or password in it';
  if (/[?#]/.test(text)) return 'has a query or a fragment';
  if (url.hostname.includes('*')) return 'has a * for a host';
  return undefined;
}

function isPlainHttp(url: URL): boolean {
  return url.protocol === 'http:' && !isLoopback(url);
}

/** Whether an address leads to this machine, whatever the machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

import { WechatConfigurationError } from './common/errors.js';
import type {
  OutsideWechat,
  ResolvedWechatAuthOptions,
  WechatAccount,
  WechatPrompt,
  WechatSignInHook,
} from './common/options.js';
import type { PublicUrl } from './common/public-url.js';
import type { SealingKey } from './common/sealer.js';
import type { WechatSessionStore } from './common/session.js';

const REAL_OPEN_BASE_URL = 'https://open.weixin.qq.com';
const REAL_API_BASE_URL = 'https://api.weixin.qq.com';
const DAY_MS = 24 * 60 * 60 * 1000;
/** No session and no token lives longer; browsers keep cookies for 400 days at most. */
const MAX_LIFETIME_MS = 400 * DAY_MS;
/** The user waits for it. */
const MAX_TIMEOUT_MS = 60_000;

/** One of several WeChat accounts; see {@link WechatAuthOptions.accounts}. */
export interface WechatAccountOptions {
  /** `wx` and 16 more characters, from 微信公众平台 → 设置与开发 → 开发接口管理. */
  appId: string;
  appSecret: string;
  /** How long this account's refresh tokens live, in milliseconds. Default: `refreshTokenLifetimeMs`. */
  refreshTokenLifetimeMs?: number;
}

/** Every setting of the module. Each may be left out; an option wins over its environment variable. */
export interface WechatAuthOptions {
  /** Default: `WECHAT_APP_ID`. */
  appId?: string;
  /** Default: `WECHAT_APP_SECRET`. */
  appSecret?: string;
  /** Several accounts instead of one; the first is the default of `@WechatAuth`. Default: none. */
  accounts?: readonly WechatAccountOptions[];
  /**
   * Where people reach the application, for example `https://shop.example.com`; several separated by commas. A
   * path is what a reverse proxy strips. Default: `WECHAT_PUBLIC_URL`.
   */
  publicUrl?: string;
  /**
   * `kid:base64` of 32 random bytes; several separated by commas: the first seals, all open. Make one with
   * `node -e "console.log('k1:' + crypto.randomBytes(32).toString('base64'))"`. Default: `WECHAT_AUTH_KEYS`.
   */
  keys?: string;
  /** Default: `WECHAT_OPEN_BASE_URL`, else `https://open.weixin.qq.com`. */
  openBaseUrl?: string;
  /** Default: `WECHAT_API_BASE_URL`, else `https://api.weixin.qq.com`. */
  apiBaseUrl?: string;
  /** Path of the module's own routes. Default: `/wechat`. */
  path?: string;
  /**
   * What stands before WeChat's consent screen: `'explain'`, a page of ours with a button, or `'direct'`, nothing.
   * WeChat may open a consent that nobody asked for as a snapshot page, hence the default `'explain'`.
   *
   * @see https://developers.weixin.qq.com/community/develop/doc/000c2c34068880629ced91a2f56001
   */
  prompt?: WechatPrompt;
  /**
   * What a browser other than WeChat's gets: `'open-in-wechat'`, a page that says so, or `'redirect'`, the same as
   * inside WeChat. Default: `'redirect'` if `openBaseUrl` is not the real WeChat's, else `'open-in-wechat'`.
   */
  outsideWechat?: OutsideWechat;
  session?: {
    /** How long a session lasts, in milliseconds. Default: 30 days. */
    maxAgeMs?: number;
    /** A store of your own. Default: one sealed cookie. */
    store?: WechatSessionStore;
  };
  /** How long a refresh token lives after the sign-in, in milliseconds. Default: 30 days, as at WeChat. */
  refreshTokenLifetimeMs?: number;
  /** Time limit of one call to WeChat, in milliseconds. Default: 5 000. */
  requestTimeoutMs?: number;
  /** Origins besides the public ones whose pages may send POST, PUT, PATCH and DELETE. Default: none. */
  allowedOrigins?: readonly string[];
  /** One sentence for the consent page: what the profile is used for. Default: a general one. */
  consentText?: string;
  /**
   * Called after the grant is saved and before the session is issued: link your own accounts here. It may be called
   * again for the same user, so link idempotently. If it throws, the sign-in ends in a 403 page. Default: none.
   */
  onSignIn?: WechatSignInHook;
}

/** Reads one environment variable, wherever the host's configuration has it from. */
export type ReadEnvironment = (name: string) => string | undefined;

/**
 * Fills in what was left out and checks everything.
 *
 * @throws {WechatConfigurationError} naming every wrong setting at once, each with its cure.
 */
export function resolveOptions(
  options: WechatAuthOptions,
  readEnvironment: ReadEnvironment,
): ResolvedWechatAuthOptions {
  const problems: string[] = [];
  const env = (name: string): string | undefined => readEnvironment(name)?.trim() || undefined;
  const openBaseUrl = checkBaseUrl(
    options.openBaseUrl ?? env('WECHAT_OPEN_BASE_URL') ?? REAL_OPEN_BASE_URL,
    'WECHAT_OPEN_BASE_URL',
    problems,
  );
  const apiBaseUrl = checkBaseUrl(
    options.apiBaseUrl ?? env('WECHAT_API_BASE_URL') ?? REAL_API_BASE_URL,
    'WECHAT_API_BASE_URL',
    problems,
  );
  const accounts = resolveAccounts(options, env, problems);
  const publicUrls = parsePublicUrls(options.publicUrl ?? env('WECHAT_PUBLIC_URL'), problems);
  const keys = parseKeys(options.keys ?? env('WECHAT_AUTH_KEYS'), problems);
  const resolved = {
    openBaseUrl,
    apiBaseUrl,
    path: checkPath(options.path ?? '/wechat', problems),
    prompt: oneOf('prompt', options.prompt ?? 'explain', ['explain', 'direct'] as const, problems),
    outsideWechat: oneOf(
      'outsideWechat',
      options.outsideWechat ?? (openBaseUrl === REAL_OPEN_BASE_URL ? 'open-in-wechat' : 'redirect'),
      ['open-in-wechat', 'redirect'] as const,
      problems,
    ),
    sessionMaxAgeMs: positiveMs('session.maxAgeMs', options.session?.maxAgeMs ?? 30 * DAY_MS, problems),
    sessionStore: options.session?.store,
    requestTimeoutMs: positiveMs(
      'requestTimeoutMs',
      options.requestTimeoutMs ?? 5_000,
      problems,
      MAX_TIMEOUT_MS,
    ),
    allowedOrigins: (options.allowedOrigins ?? []).map((origin) => checkOrigin(origin, problems)),
    consentText: options.consentText,
    onSignIn: options.onSignIn,
  };
  // Each of the three lists is empty only with a problem noted.
  if (problems.length > 0 || !isFilled(accounts) || !isFilled(publicUrls) || !isFilled(keys)) {
    throw new WechatConfigurationError(problems);
  }
  return { accounts, publicUrls, keys, ...resolved };
}

function resolveAccounts(
  options: WechatAuthOptions,
  env: ReadEnvironment,
  problems: string[],
): WechatAccount[] {
  const refreshTokenLifetimeMs = positiveMs(
    'refreshTokenLifetimeMs',
    options.refreshTokenLifetimeMs ?? 30 * DAY_MS,
    problems,
  );
  const listed = options.accounts ?? [
    {
      appId: options.appId ?? env('WECHAT_APP_ID') ?? '',
      appSecret: options.appSecret ?? env('WECHAT_APP_SECRET') ?? '',
    },
  ];
  if (listed.length === 0) problems.push('accounts is empty. List at least one { appId, appSecret }.');
  const accounts = listed.map((account, index) => {
    const place = options.accounts ? `accounts[${index}].` : '';
    checkAppId(account.appId, options.accounts ? `${place}appId` : 'WECHAT_APP_ID', problems);
    if (!account.appSecret) {
      const name = options.accounts ? `${place}appSecret` : 'WECHAT_APP_SECRET';
      problems.push(`${name} is missing. Set it to the AppSecret shown beside the app id in 微信公众平台.`);
    }
    return {
      appId: account.appId,
      appSecret: account.appSecret,
      refreshTokenLifetimeMs:
        account.refreshTokenLifetimeMs === undefined
          ? refreshTokenLifetimeMs
          : positiveMs(`${place}refreshTokenLifetimeMs`, account.refreshTokenLifetimeMs, problems),
    };
  });
  if (new Set(accounts.map(({ appId }) => appId)).size < accounts.length) {
    problems.push('accounts lists one appId twice. Keep one entry for each account.');
  }
  return accounts;
}

function checkAppId(appId: string, name: string, problems: string[]): void {
  if (!appId) {
    problems.push(`${name} is missing. Set it to the AppID of the service account (服务号) in 微信公众平台.`);
  } else if (!/^wx[0-9a-zA-Z]{16}$/.test(appId)) {
    problems.push(
      `${name} is not the form of a WeChat app id. It is "wx" and 16 letters or digits; copy it whole.`,
    );
  }
}

function parsePublicUrls(text: string | undefined, problems: string[]): PublicUrl[] {
  const entries = splitList(text);
  if (entries.length === 0) {
    problems.push(
      'WECHAT_PUBLIC_URL is missing. Set it to where people reach the application, for example https://shop.example.com.',
    );
  }
  const publicUrls = entries.flatMap((entry) => {
    const url = parseHttpUrl(entry);
    if (!url || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
      problems.push(
        `WECHAT_PUBLIC_URL has an entry that is not an http(s) address of scheme, host and path. Write it like https://shop.example.com/path.`,
      );
      return [];
    }
    if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
      problems.push(
        `WECHAT_PUBLIC_URL has ${url.origin}: plain http outside this machine. Use https; cookies would travel in the clear.`,
      );
    }
    return [{ origin: url.origin, host: url.host, basePath: url.pathname.replace(/\/+$/, '') }];
  });
  if (new Set(publicUrls.map(({ host }) => host)).size < publicUrls.length) {
    problems.push('WECHAT_PUBLIC_URL names one host twice. Keep one entry for each host.');
  }
  return publicUrls;
}

function parseKeys(text: string | undefined, problems: string[]): SealingKey[] {
  const howTo = "Make one with: node -e \"console.log('k1:' + crypto.randomBytes(32).toString('base64'))\"";
  const entries = splitList(text);
  if (entries.length === 0) problems.push(`WECHAT_AUTH_KEYS is missing. ${howTo}`);
  const keys = entries.flatMap((entry, index) => {
    const [, kid, base64] = /^([\w-]{1,32}):([\w+/-]+={0,2})$/.exec(entry) ?? [];
    const secret = Buffer.from(base64 ?? '', 'base64');
    if (kid === undefined || secret.length !== 32) {
      problems.push(`WECHAT_AUTH_KEYS: entry ${index + 1} is not kid:base64 of exactly 32 bytes. ${howTo}`);
      return [];
    }
    return [{ kid, secret }];
  });
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length) {
    problems.push('WECHAT_AUTH_KEYS has one kid twice. Give every key a name of its own.');
  }
  return keys;
}

function checkBaseUrl(text: string, name: string, problems: string[]): string {
  const url = parseHttpUrl(text);
  if (!url || /[?#@]/.test(text)) {
    problems.push(
      `${name} is not an http(s) address of scheme, host and path. Leave it out for the real WeChat.`,
    );
  } else if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    problems.push(`${name} is plain http outside this machine. Use https; the app secret travels there.`);
  }
  return text.replace(/\/+$/, '');
}

function checkPath(path: string, problems: string[]): string {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  if (!/^[\w.~-]+(\/[\w.~-]+)*$/.test(trimmed) || trimmed.split('/').some((part) => /^\.{1,2}$/.test(part))) {
    problems.push(
      'path is not a plain path. Write it like /wechat: letters, digits, ".", "_", "~", "-" and slashes.',
    );
  }
  return `/${trimmed}`;
}

function checkOrigin(origin: string, problems: string[]): string {
  const url = parseHttpUrl(origin);
  if (url?.origin !== origin) {
    problems.push(
      'allowedOrigins has an entry that is not an origin. Write scheme, host and port alone, like https://admin.example.com.',
    );
  }
  return origin;
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[], problems: string[]): T {
  if (!allowed.includes(value)) problems.push(`${name} is unknown. Choose one of: ${allowed.join(', ')}.`);
  return value;
}

function positiveMs(name: string, value: number, problems: string[], maxMs = MAX_LIFETIME_MS): number {
  if (!Number.isFinite(value) || value <= 0 || value > maxMs) {
    problems.push(
      `${name} is not a number of milliseconds between 0 and ${String(maxMs)}. Leave it out for the default.`,
    );
  }
  return value;
}

function splitList(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

function parseHttpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

function isFilled<T>(list: T[]): list is [T, ...T[]] {
  return list.length > 0;
}

import { WechatConfigurationError } from '../../src/common/errors.js';
import type { ResolvedWechatAuthOptions } from '../../src/common/options.js';
import { type WechatSession, WechatSessionStore } from '../../src/common/session.js';
import { resolveOptions } from '../../src/options.check.js';
import type { WechatAuthOptions } from '../../src/wechat-auth.options.js';

export const DAY_MS = 24 * 60 * 60 * 1000;
export const APP_ID = 'wx0123456789abcdef';
export const APP_SECRET = 'app-secret-4f1d';
export const SECRET = Buffer.alloc(32, 251); // its base64 has + and /
export const KEY = `k1:${SECRET.toString('base64')}`;

/** The four variables without a default. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  WECHAT_APP_ID: APP_ID,
  WECHAT_APP_SECRET: APP_SECRET,
  WECHAT_PUBLIC_URL: 'https://shop.example.com',
  WECHAT_AUTH_KEYS: KEY,
};

// Cures that several tests expect.
export const MAKE_A_KEY = `Make one with: node -e "console.log('k1:' + crypto.randomBytes(32).toString('base64'))"`;
export const APP_ID_CURE =
  'Set it to the AppID of the service account (服务号) from 微信公众平台 → 设置与开发 → 开发接口管理: "wx" and 16 letters or digits. That of a mini program (小程序) or a website has the same form and does not work here.';
export const APP_SECRET_CURE =
  'Set it to the AppSecret that belongs to the AppID, from 微信公众平台 → 设置与开发 → 开发接口管理.';
export const PUBLIC_URL_CURE =
  'Set it to where people reach the application, for example https://shop.example.com; several are separated by commas.';
/** What a length of time must be, where the maximum is 400 days. */
export const MILLISECONDS = 'a number of milliseconds from 1 to 34560000000';

export type Environment = Record<string, unknown>;

/** Options and variables on top of {@link ENVIRONMENT}. */
export function resolve(
  options: WechatAuthOptions = {},
  environment: Environment = {},
): ResolvedWechatAuthOptions {
  const all: Environment = { ...ENVIRONMENT, ...environment };
  return resolveOptions(options, (name) => all[name]);
}

export function configurationError(
  options: WechatAuthOptions = {},
  environment: Environment = {},
): WechatConfigurationError {
  try {
    resolve(options, environment);
  } catch (error) {
    if (error instanceof WechatConfigurationError) return error;
    throw error;
  }
  throw new Error('These settings were accepted.');
}

export function problemsOf(
  options: WechatAuthOptions = {},
  environment: Environment = {},
): readonly string[] {
  return configurationError(options, environment).problems.map(({ problem, cure }) => `${problem} ${cure}`);
}

export class HostStore extends WechatSessionStore {
  read(): WechatSession | undefined {
    return undefined;
  }
  write(): void {}
  clear(): void {}
}

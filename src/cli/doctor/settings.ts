import { WechatConfigurationError, type WechatConfigurationProblem } from '../../common/errors.js';
import type { ResolvedWechatAuthOptions, WechatAccount } from '../../common/options.js';
import type { PublicUrl } from '../../common/public-url.js';
import type { SealingKey } from '../../common/sealer.js';
import { resolveOptions } from '../../options.check.js';
import type { WechatAuthOptions } from '../../wechat-auth.options.js';

/** What the environment says, as far as it is right. A part that is missing or wrong is undefined. */
export interface Settings {
  problems: readonly WechatConfigurationProblem[];
  account: WechatAccount | undefined;
  publicUrls: readonly PublicUrl[] | undefined;
  keys: readonly SealingKey[] | undefined;
  openBaseUrl: string | undefined;
  apiBaseUrl: string | undefined;
  /** The module's defaults for what has no variable. */
  path: string;
  requestTimeoutMs: number;
}

/** Stands in for what a question is not about, so that one wrong setting does not hide the others. */
const STAND_IN = {
  appId: 'wx0000000000000000',
  appSecret: 'stand-in',
  publicUrl: 'https://stand-in.invalid',
  keys: `stand-in:${Buffer.alloc(32).toString('base64')}`,
  openBaseUrl: 'https://stand-in.invalid',
  apiBaseUrl: 'https://stand-in.invalid',
} satisfies WechatAuthOptions;

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const defaults = resolve(STAND_IN, {});
  return {
    problems: problemsOf(env),
    account: part(env, ['appId', 'appSecret'])?.accounts[0],
    publicUrls: part(env, ['publicUrl'])?.publicUrls,
    keys: part(env, ['keys'])?.keys,
    openBaseUrl: part(env, ['openBaseUrl'])?.openBaseUrl,
    apiBaseUrl: part(env, ['apiBaseUrl'])?.apiBaseUrl,
    path: defaults.path,
    requestTimeoutMs: defaults.requestTimeoutMs,
  };
}

function problemsOf(env: NodeJS.ProcessEnv): readonly WechatConfigurationProblem[] {
  try {
    resolve({}, env);
    return [];
  } catch (error) {
    if (error instanceof WechatConfigurationError) return error.problems;
    throw error;
  }
}

function part(
  env: NodeJS.ProcessEnv,
  asked: readonly (keyof typeof STAND_IN)[],
): ResolvedWechatAuthOptions | undefined {
  const standIns = Object.fromEntries(
    Object.entries(STAND_IN).filter(([name]) => !asked.includes(name as keyof typeof STAND_IN)),
  );
  try {
    return resolve(standIns, env);
  } catch (error) {
    if (error instanceof WechatConfigurationError) return undefined;
    throw error;
  }
}

function resolve(options: WechatAuthOptions, env: NodeJS.ProcessEnv): ResolvedWechatAuthOptions {
  return resolveOptions(options, (name) => env[name]);
}

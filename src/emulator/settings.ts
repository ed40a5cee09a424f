import { randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { WechatEmulatorError } from './emulator.errors.js';
import type {
  WechatEmulatorApp,
  WechatEmulatorOptions,
  WechatEmulatorRefusal,
  WechatEmulatorTls,
} from './emulator.types.js';
import { deriveOpenid } from './tokens.js';

/** A user before anything has happened to it. */
export interface UserDefinition {
  openid: string;
  unionid: string | undefined;
  nickname: string;
  /** `undefined`: the emulator draws one. */
  headimgurl: string | undefined;
  follows: boolean;
}

/** {@link WechatEmulatorOptions}, checked, with nothing left out. */
export interface EmulatorSettings {
  apps: readonly Required<WechatEmulatorApp>[];
  users: readonly UserDefinition[];
  port: number;
  tls: Required<WechatEmulatorTls> | undefined;
  seed: string;
  now: () => Date;
  strictParameterOrder: boolean;
  grantMemory: boolean;
  requireWechatUserAgent: boolean;
  stateFile: string | undefined;
  refusal: WechatEmulatorRefusal;
  looseOpenid: boolean;
}

const DEFAULT_APP: WechatEmulatorApp = {
  appId: 'wx5e1f0c7a9b3d2468',
  appSecret: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  redirectDomains: ['localhost', '127.0.0.1'],
  name: '示例服务号',
};

const DEFAULT_USERS: NonNullable<WechatEmulatorOptions['users']> = [
  { nickname: '林小满', follows: true },
  { nickname: '陈一诺🌈' },
  { nickname: '王大力' },
];

const REFUSALS: readonly WechatEmulatorRefusal[] = ['authdeny', 'state-only', 'page'];

export function resolveSettings(options: WechatEmulatorOptions): EmulatorSettings {
  const apps = (options.apps ?? [DEFAULT_APP]).map((app) => ({
    ...app,
    kind: app.kind ?? 'service',
    name: app.name ?? '示例服务号',
  }));
  const users = (options.users ?? DEFAULT_USERS).map((user, index) => ({
    openid: user.openid ?? deriveOpenid('user', String(index)),
    unionid: user.unionid,
    nickname: user.nickname,
    headimgurl: user.headimgurl,
    follows: user.follows ?? false,
  }));
  const { now } = options;
  const refusal = options.refusal ?? 'authdeny';

  checkIds(
    'apps',
    'appId',
    apps.map((app) => app.appId),
  );
  checkIds(
    'users',
    'openid',
    users.map((user) => user.openid),
  );
  apps.forEach(checkApp);
  if (!REFUSALS.includes(refusal)) {
    throw wrongOption('refusal', `is ${JSON.stringify(refusal)}`, `choose one of ${REFUSALS.join(', ')}`);
  }

  return {
    apps,
    users,
    port: options.port ?? 0,
    tls: options.tls && resolveTls(options.tls),
    seed: String(options.seed ?? randomBytes(16).toString('hex')),
    now: typeof now === 'function' ? now : now ? () => now : () => new Date(),
    strictParameterOrder: options.strictParameterOrder ?? true,
    grantMemory: options.grantMemory ?? true,
    requireWechatUserAgent: options.requireWechatUserAgent ?? false,
    stateFile: options.stateFile,
    refusal,
    looseOpenid: options.looseOpenid ?? false,
  };
}

function resolveTls({ key, cert, port = 0 }: WechatEmulatorTls): Required<WechatEmulatorTls> {
  // An absent half is no mistake to OpenSSL, only to those who connect.
  const missing = Object.entries({ key, cert }).find(([, pem]) => !pem)?.[0];
  if (missing !== undefined) {
    throw wrongOption('tls', `has no ${missing}`, 'give a private key and its certificate, both in PEM');
  }
  try {
    createSecureContext({ key, cert });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const cure = 'give a private key and the certificate made for it, both in PEM';
    throw wrongOption('tls', `is not usable (${reason})`, cure);
  }
  return { key, cert, port };
}

function checkIds(option: string, field: string, ids: readonly string[]): void {
  if (ids.length === 0) {
    throw wrongOption(option, 'is empty', 'give at least one, or leave the option out');
  }
  const bad = ids.find((id, index) => id === '' || ids.indexOf(id) !== index);
  if (bad !== undefined) {
    throw wrongOption(option, `has the ${field} ${JSON.stringify(bad)} empty or twice`, 'give each its own');
  }
}

function checkApp(app: WechatEmulatorApp): void {
  const bad = app.redirectDomains.find((domain) => !/^[a-z0-9.-]+$/i.test(domain));
  if (bad !== undefined) {
    throw wrongOption(
      'apps',
      `registers ${JSON.stringify(bad)} as a redirect domain`,
      'WeChat takes a bare host name: no scheme, no port, no path',
    );
  }
}

function wrongOption(option: string, problem: string, cure: string): WechatEmulatorError {
  return new WechatEmulatorError('emulator_option', `The emulator's option ${option} ${problem}: ${cure}.`);
}

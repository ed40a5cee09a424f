import { randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type {
  WechatEmulatorApp,
  WechatEmulatorDoubleCallback,
  WechatEmulatorOptions,
  WechatEmulatorTls,
  WechatEmulatorUserOptions,
  WechatEmulatorVariants,
} from './emulator.options.js';
import {
  aBoolean,
  aCount,
  anInstant,
  aNumber,
  aPort,
  anOpenid,
  aText,
  eachOwn,
  either,
  fieldsOf,
  listOf,
  oneOf,
  optional,
  someBytes,
  type Check,
  wrongOption,
} from './settings.checks.js';
import type { PersonDefinition } from './people.js';

/** {@link WechatEmulatorOptions}, checked, with nothing left out. */
export interface EmulatorSettings extends Omit<Required<WechatEmulatorVariants>, 'codeLifetimeMs'> {
  readonly apps: readonly EmulatorApp[];
  readonly people: readonly PersonDefinition[];
  readonly port: number;
  readonly tls: Required<WechatEmulatorTls> | undefined;
  readonly seed: string;
  readonly nowMs: () => number;
  readonly requireWechatUserAgent: boolean;
  readonly stateFile: string | undefined;
  readonly doubleCallback: WechatEmulatorDoubleCallback | undefined;
  readonly quotaPerMinute: number;
  readonly snapshotWithoutGesture: boolean;
  /** `undefined`: what is usual for the kind of app. */
  readonly codeLifetimeMs: number | undefined;
}

export type EmulatorApp = Required<WechatEmulatorApp>;

const DAY_MS = 86_400_000;
const DEFAULT_NAME = '示例服务号';

const DEFAULT_APP: WechatEmulatorApp = {
  appId: 'wx5e1f0c7a9b3d2468',
  appSecret: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  redirectDomains: ['localhost', '127.0.0.1'],
};

const DEFAULT_USERS: readonly WechatEmulatorUserOptions[] = [
  { nickname: '林小满', follows: true },
  { nickname: '陈一诺🌈' },
  { nickname: '王大力' },
];

const SCOPES = ['snsapi_base', 'snsapi_userinfo'] as const;

const APP_FIELDS: Readonly<Record<keyof WechatEmulatorApp, Check>> = {
  appId: aText,
  appSecret: aText,
  redirectDomains: listOf(aText),
  kind: optional(oneOf('service', 'sandbox', 'website', 'component')),
  name: optional(aText),
  banned: optional(aBoolean),
  scopes: optional(listOf(oneOf(...SCOPES))),
  accounts: optional(listOf(aText)),
};

const USER_FIELDS: Readonly<Record<keyof WechatEmulatorUserOptions, Check>> = {
  openid: optional(anOpenid),
  unionid: optional(aText),
  nickname: aText,
  nicknameBytes: optional(someBytes),
  headimgurl: optional(aText),
  privilege: optional(listOf(aText)),
  follows: optional(aBoolean),
};

/** What each option may be. In this order a wrong one is found. */
const OPTIONS: Readonly<Record<keyof WechatEmulatorOptions, Check>> = {
  apps: optional(listOf(fieldsOf(APP_FIELDS), 1)),
  users: optional(either(aCount, listOf(fieldsOf(USER_FIELDS), 1), (value) => typeof value === 'number')),
  port: optional(aPort),
  tls: optional(fieldsOf({ key: aText, cert: aText, port: optional(aPort) })),
  seed: optional(either(aNumber, aText, (value) => typeof value === 'number')),
  now: optional(anInstant),
  requireWechatUserAgent: optional(aBoolean),
  stateFile: optional(aText),
  doubleCallback: optional(oneOf('same-code', 'two-codes', 'restored')),
  quotaPerMinute: optional(either(aBoolean, aCount, (value) => value === false)),
  snapshotWithoutGesture: optional(aBoolean),
  strictParameterOrder: optional(aBoolean),
  requireState: optional(aBoolean),
  grantMemory: optional(aBoolean),
  consentLifetimeMs: optional(aCount),
  refusal: optional(oneOf('authdeny', 'state-only', 'page')),
  looseOpenid: optional(aBoolean),
  codeLifetimeMs: optional(aCount),
  failedExchangeBurnsCode: optional(aBoolean),
  refreshTokenLifetimeMs: optional(aCount),
  slidingRefreshToken: optional(aBoolean),
  refreshKeepsAccessToken: optional(aBoolean),
  supersededRefreshToken: optional(oneOf(40030, 42002)),
  withdrawnConsent: optional(oneOf(50001, 48001)),
  unionidInTokenAnswer: optional(oneOf('userinfo', 'followers', 'always')),
  scopeInTokenAnswer: optional(aBoolean),
  snapshotFlag: optional(aBoolean),
  snapshotProfile: optional(oneOf('virtual', 48001)),
  requestIdStyle: optional(oneOf('rid', 'hints')),
};

/** @throws {WechatEmulatorError} that names the option, what is wrong with it and the cure. */
export function resolveSettings(options: WechatEmulatorOptions): EmulatorSettings {
  const problem = fieldsOf(OPTIONS)(options, 'options');
  if (problem !== undefined) throw wrongOption(problem);

  const apps = (options.apps ?? [DEFAULT_APP]).map(resolveApp);
  const users = options.users ?? DEFAULT_USERS;
  const people = typeof users === 'number' ? madeUp(users) : users.map(definitionOf);
  eachOwn(
    'options.apps',
    'appId',
    apps.map(({ appId }) => appId),
  );
  eachOwn(
    'options.users',
    'openid',
    people.flatMap(({ openid }) => openid ?? []),
  );
  apps.forEach(checkDomains);

  const { now } = options;
  return {
    apps,
    people,
    port: options.port ?? 0,
    tls: options.tls && resolveTls(options.tls),
    seed: String(options.seed ?? randomBytes(16).toString('hex')),
    nowMs: typeof now === 'function' ? () => now().getTime() : now ? () => now.getTime() : Date.now,
    requireWechatUserAgent: options.requireWechatUserAgent ?? false,
    stateFile: options.stateFile,
    doubleCallback: options.doubleCallback,
    quotaPerMinute: options.quotaPerMinute === false ? Infinity : (options.quotaPerMinute ?? 50_000),
    snapshotWithoutGesture: options.snapshotWithoutGesture ?? false,
    strictParameterOrder: options.strictParameterOrder ?? true,
    requireState: options.requireState ?? false,
    grantMemory: options.grantMemory ?? true,
    consentLifetimeMs: options.consentLifetimeMs ?? 30 * DAY_MS,
    refusal: options.refusal ?? 'authdeny',
    looseOpenid: options.looseOpenid ?? false,
    codeLifetimeMs: options.codeLifetimeMs,
    failedExchangeBurnsCode: options.failedExchangeBurnsCode ?? true,
    refreshTokenLifetimeMs: options.refreshTokenLifetimeMs ?? 30 * DAY_MS,
    slidingRefreshToken: options.slidingRefreshToken ?? false,
    refreshKeepsAccessToken: options.refreshKeepsAccessToken ?? true,
    supersededRefreshToken: options.supersededRefreshToken ?? 40030,
    withdrawnConsent: options.withdrawnConsent ?? 50001,
    unionidInTokenAnswer: options.unionidInTokenAnswer ?? 'userinfo',
    scopeInTokenAnswer: options.scopeInTokenAnswer ?? true,
    snapshotFlag: options.snapshotFlag ?? true,
    snapshotProfile: options.snapshotProfile ?? 'virtual',
    requestIdStyle: options.requestIdStyle ?? 'rid',
  };
}

function resolveApp(app: WechatEmulatorApp): EmulatorApp {
  return {
    ...app,
    kind: app.kind ?? 'service',
    name: app.name ?? DEFAULT_NAME,
    banned: app.banned ?? false,
    scopes: app.scopes ?? SCOPES,
    accounts: app.accounts ?? [],
  };
}

function resolveTls({ key, cert, port = 0 }: WechatEmulatorTls): Required<WechatEmulatorTls> {
  // An absent half is no mistake to OpenSSL, only to those who connect.
  const missing = Object.entries({ key, cert }).find(([, pem]) => pem === '')?.[0];
  if (missing !== undefined) {
    throw wrongOption(`options.tls has no ${missing}: give a private key and its certificate, both in PEM.`);
  }
  try {
    createSecureContext({ key, cert });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw wrongOption(
      `options.tls is not usable (${reason}): give a private key and the certificate made for it, both in PEM.`,
    );
  }
  return { key, cert, port };
}

function definitionOf(user: WechatEmulatorUserOptions): PersonDefinition {
  return {
    openid: user.openid,
    unionid: user.unionid,
    nickname: user.nickname,
    nicknameBytes: user.nicknameBytes,
    headimgurl: user.headimgurl,
    privilege: user.privilege ?? [],
    firstState: {
      follows: user.follows ?? false,
      snapshot: false,
      deregistered: false,
      opensFromChat: false,
    },
  };
}

function madeUp(count: number): PersonDefinition[] {
  const names = DEFAULT_USERS.map(definitionOf);
  return Array.from({ length: count }, (_, index) => names[index % names.length]).filter(
    (definition) => definition !== undefined,
  );
}

function checkDomains({ kind, redirectDomains }: EmulatorApp): void {
  const form = kind === 'sandbox' ? /^[a-z0-9.-]+(:\d+)?$/i : /^[a-z0-9.-]+$/i;
  const bad = redirectDomains.find((domain) => !form.test(domain));
  if (bad !== undefined) {
    throw wrongOption(
      `options.apps registers ${JSON.stringify(bad)} as a redirect domain: give a bare host name, as WeChat takes it, without scheme, port and path.`,
    );
  }
}

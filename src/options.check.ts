import { checkAccounts } from './configuration/accounts.check.js';
import {
  checkBaseUrl,
  checkOrigins,
  checkPath,
  checkPublicUrls,
  checkSameWechat,
} from './configuration/addresses.check.js';
import { WechatConfigurationError, type WechatConfigurationProblem } from './common/errors.js';
import type { ResolvedWechatAuthOptions, WechatSignInHook } from './common/options.js';
import type { WechatSessionStore } from './common/session.js';
import { checkKeys } from './configuration/keys.check.js';
import { checkOptionNames } from './configuration/option-names.check.js';
import {
  found,
  isRecord,
  kindOf,
  Problems,
  type ReadEnvironment,
  type Setting,
  settingWithin,
  SettingsReader,
} from './configuration/settings.reader.js';
import {
  milliseconds,
  oneOf,
  optionalGroup,
  optionalText,
  share,
  wholeNumber,
} from './configuration/values.check.js';
import type { WechatAuthOptions, WechatRefreshOptions } from './wechat-auth.options.js';

const REAL_OPEN_BASE_URL = 'https://open.weixin.qq.com';
const REAL_API_BASE_URL = 'https://api.weixin.qq.com';
const MINUTE_MS = 60 * 1000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** An access token lives for two hours: rarer sweeps would find it dead. */
const MAX_INTERVAL_MS = 60 * MINUTE_MS;
const MAX_LEAD_TIME_MS = 90 * MINUTE_MS;
/** No session and no token lives longer; browsers keep cookies for 400 days at most. */
const MAX_LIFETIME_MS = 400 * DAY_MS;
/** Ten years: whoever means "for ever" has to think about it. */
const MAX_RETENTION_DAYS = 3_650;
/** The user waits for it. */
const MAX_TIMEOUT_MS = 60_000;

/** What came of checking the options: all of them, or what is wrong and those parts that are usable all the same. */
export type CheckedOptions =
  | { resolved: ResolvedWechatAuthOptions }
  | { problems: readonly WechatConfigurationProblem[]; usable: UsableOptions };

/** Parts that other checks go on with; one that is wrong in any way is left out. */
export type UsableOptions = Partial<Pick<ResolvedWechatAuthOptions, 'accounts' | 'keys'>>;

/** Every option's name; the compiler sees to it that none is forgotten. */
export const OPTION_NAMES = Object.keys({
  appId: true,
  appSecret: true,
  accounts: true,
  publicUrl: true,
  keys: true,
  openBaseUrl: true,
  apiBaseUrl: true,
  path: true,
  prompt: true,
  outsideWechat: true,
  session: true,
  refreshTokenLifetimeMs: true,
  refresh: true,
  reconsentWindowMs: true,
  retainInactiveDays: true,
  requestTimeoutMs: true,
  allowedOrigins: true,
  consentText: true,
  onSignIn: true,
} satisfies Record<keyof WechatAuthOptions, true>);
const REFRESH_NAMES = Object.keys({
  intervalMs: true,
  leadTimeMs: true,
  batchSize: true,
  concurrency: true,
  quotaShare: true,
  activeWithinDays: true,
} satisfies Record<keyof WechatRefreshOptions, true>);
const SESSION_NAMES = Object.keys({ maxAgeMs: true, reverifyAfterMs: true, store: true } satisfies Record<
  keyof NonNullable<WechatAuthOptions['session']>,
  true
>);

/**
 * Fills in what was left out and checks everything.
 *
 * @throws {WechatConfigurationError} naming every wrong setting at once, each with its cure.
 */
export function resolveOptions(
  options: WechatAuthOptions,
  readEnvironment: ReadEnvironment,
): ResolvedWechatAuthOptions {
  const checked = checkOptions(options, readEnvironment);
  if ('resolved' in checked) return checked.resolved;
  throw new WechatConfigurationError(checked.problems);
}

/**
 * Fills in what was left out and checks everything.
 *
 * @param options {@link WechatAuthOptions}, as far as the host's compiler has seen to it.
 */
export function checkOptions(options: unknown, readEnvironment: ReadEnvironment): CheckedOptions {
  const problems = new Problems();
  const given = givenOptions(options, problems);
  const settings = new SettingsReader(given, readEnvironment);
  const lifetimeMs = milliseconds(
    settings.read('refreshTokenLifetimeMs'),
    { defaultMs: 30 * DAY_MS, maxMs: MAX_LIFETIME_MS },
    problems,
  );
  const accounts = checkAccounts(settings, { defaultMs: lifetimeMs, maxMs: MAX_LIFETIME_MS }, problems);
  const publicUrls = checkPublicUrls(settings.read('publicUrl', 'WECHAT_PUBLIC_URL'), problems);
  const keys = checkKeys(settings.read('keys', 'WECHAT_AUTH_KEYS'), problems);
  const rest = checkRest(settings, problems);
  // Each of the three is missing only with a problem noted.
  if (problems.list.length === 0 && accounts && publicUrls && keys) {
    return { resolved: { accounts, publicUrls, keys, ...rest } };
  }
  return { problems: problems.list, usable: { ...(accounts && { accounts }), ...(keys && { keys }) } };
}

function givenOptions(options: unknown, problems: Problems): Record<string, unknown> {
  if (!isRecord(options)) {
    problems.add(
      `The options of WechatAuthModule are not an object but ${kindOf(options)}.`,
      'Give forRoot() an object or nothing; give forRootAsync() a useFactory that returns one.',
    );
    return {};
  }
  const { dataSource } = options;
  if (dataSource !== undefined) {
    problems.add(
      `dataSource is ${kindOf(dataSource)} here, and without effect.`,
      'Give the name of a TypeORM data source to forRoot() among the options, to forRootAsync() beside useFactory.',
    );
  }
  checkOptionNames(undefined, options, [...OPTION_NAMES, 'dataSource'], problems);
  return options;
}

function checkRest(
  settings: SettingsReader,
  problems: Problems,
): Omit<ResolvedWechatAuthOptions, 'accounts' | 'publicUrls' | 'keys'> {
  const openBaseUrl = checkBaseUrl(
    settings.read('openBaseUrl', 'WECHAT_OPEN_BASE_URL'),
    REAL_OPEN_BASE_URL,
    problems,
  );
  const apiBaseUrl = checkBaseUrl(
    settings.read('apiBaseUrl', 'WECHAT_API_BASE_URL'),
    REAL_API_BASE_URL,
    problems,
  );
  checkSameWechat(openBaseUrl, apiBaseUrl, problems);
  return {
    openBaseUrl,
    apiBaseUrl,
    path: checkPath(settings.read('path'), '/wechat', problems),
    prompt: oneOf(settings.read('prompt'), ['explain', 'direct'], 'explain', problems),
    outsideWechat: oneOf(
      settings.read('outsideWechat'),
      ['open-in-wechat', 'redirect'],
      openBaseUrl === REAL_OPEN_BASE_URL ? 'open-in-wechat' : 'redirect',
      problems,
    ),
    ...checkSession(settings.read('session'), problems),
    ...checkRefresh(settings, problems),
    retainInactiveDays: wholeNumber(
      settings.read('retainInactiveDays'),
      { default: 180, max: MAX_RETENTION_DAYS },
      problems,
    ),
    requestTimeoutMs: milliseconds(
      settings.read('requestTimeoutMs'),
      { defaultMs: 5_000, maxMs: MAX_TIMEOUT_MS },
      problems,
    ),
    allowedOrigins: checkOrigins(settings.read('allowedOrigins'), problems),
    consentText: optionalText(settings.read('consentText'), problems),
    onSignIn: checkHook(settings.read('onSignIn'), problems),
  };
}

function checkSession(
  setting: Setting,
  problems: Problems,
): Pick<ResolvedWechatAuthOptions, 'sessionMaxAgeMs' | 'sessionReverifyAfterMs' | 'sessionStore'> {
  const session = optionalGroup(setting, 'Write it like { maxAgeMs, reverifyAfterMs, store }.', problems);
  checkOptionNames(setting.name, session, SESSION_NAMES, problems);
  const maxAge = settingWithin(setting.name, session, 'maxAgeMs');
  const reverifyAfter = settingWithin(setting.name, session, 'reverifyAfterMs');
  return {
    sessionMaxAgeMs: milliseconds(maxAge, { defaultMs: 30 * DAY_MS, maxMs: MAX_LIFETIME_MS }, problems),
    sessionReverifyAfterMs:
      reverifyAfter.value === false
        ? Infinity
        : milliseconds(
            reverifyAfter,
            { defaultMs: DAY_MS, minMs: MINUTE_MS, maxMs: MAX_LIFETIME_MS },
            problems,
          ),
    sessionStore: checkStore(settingWithin(setting.name, session, 'store'), problems),
  };
}

/** What is left out of `refresh: false` still holds for whoever calls `refreshDue()`. */
function checkRefresh(
  settings: SettingsReader,
  problems: Problems,
): Pick<ResolvedWechatAuthOptions, 'refresh' | 'times'> {
  const setting = settings.read('refresh');
  const isScheduled = setting.value !== false;
  const group = isScheduled
    ? optionalGroup(setting, 'Write it like { intervalMs, batchSize }, or false.', problems)
    : {};
  checkOptionNames(setting.name, group, REFRESH_NAMES, problems);
  const within = (key: keyof WechatRefreshOptions): Setting => settingWithin(setting.name, group, key);
  const time = (key: keyof WechatRefreshOptions, defaultMs: number, maxMs: number): number =>
    milliseconds(within(key), { defaultMs, maxMs }, problems);
  const days = within('activeWithinDays');
  return {
    refresh: {
      isScheduled,
      intervalMs: time('intervalMs', MINUTE_MS, MAX_INTERVAL_MS),
      batchSize: wholeNumber(within('batchSize'), { default: 500, max: 5_000 }, problems),
      concurrency: wholeNumber(within('concurrency'), { default: 32, max: 1_000 }, problems),
      quotaShare: share(within('quotaShare'), 0.8, problems),
      activeWithinDays:
        days.value === undefined ? undefined : wholeNumber(days, { default: 30, max: 400 }, problems),
    },
    times: {
      leadTimeMs: time('leadTimeMs', 10 * MINUTE_MS, MAX_LEAD_TIME_MS),
      reconsentWindowMs: milliseconds(
        settings.read('reconsentWindowMs'),
        { defaultMs: 3 * DAY_MS, maxMs: 30 * DAY_MS },
        problems,
      ),
    },
  };
}

/** Asked for by its methods: a store may come from a second copy of this package, as in a workspace. */
function checkStore(setting: Setting, problems: Problems): WechatSessionStore | undefined {
  const { name, value } = setting;
  if (value === undefined) return undefined;
  if (isRecord(value) && ['read', 'write', 'clear'].every((method) => typeof value[method] === 'function')) {
    return value as unknown as WechatSessionStore;
  }
  problems.add(
    `${name} is not an object with read, write and clear: ${found(setting)}.`,
    'Give an instance of a class that extends WechatSessionStore, not the class.',
  );
  return undefined;
}

function checkHook(setting: Setting, problems: Problems): WechatSignInHook | undefined {
  const { name, value } = setting;
  if (value === undefined || typeof value === 'function') return value as WechatSignInHook | undefined;
  problems.add(`${name} is not a function: ${found(setting)}.`, 'Write it like async (user) => { ... }.');
  return undefined;
}

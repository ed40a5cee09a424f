import type { WechatAccount } from '../common/options.js';
import { isFilled, repeated } from './lists.js';
import { nearestName, unknownNames } from './option-names.check.js';
import {
  found,
  isQuoted,
  isRecord,
  type Problems,
  type Setting,
  settingWithin,
  type SettingsReader,
} from './settings.reader.js';
import { listOf, milliseconds, requiredText } from './values.check.js';

const PLATFORM = '微信公众平台 → 设置与开发 → 开发接口管理';
const APP_ID_FORM = /^wx[0-9a-zA-Z]{16}$/;
const APP_ID_CURE = `Set it to the AppID of the service account (服务号) from ${PLATFORM}: "wx" and 16 letters or digits. That of a mini program (小程序) or a website has the same form and does not work here.`;
const APP_SECRET_CURE = `Set it to the AppSecret that belongs to the AppID, from ${PLATFORM}.`;
const ENV_FILE = 'A .env file counts only where ConfigModule.forRoot() or node --env-file reads it.';
const ACCOUNTS_CURE = 'Write it like [{ appId, appSecret }].';

/** What people have at hand and take for an app id. */
const APP_ID_LOOKALIKES: readonly [RegExp, string][] = [
  [/^[0-9a-f]{32}$/i, 'it looks like an AppSecret (32 hex characters)'],
  [/^gh_/, 'it looks like an original id (原始ID)'],
  [/^ww[0-9a-z]{16}$/i, 'it looks like a corp id of WeCom (企业微信)'],
];

/** The names of an account's settings; the compiler sees to it that none is forgotten. */
const ACCOUNT_NAMES = Object.keys({
  appId: true,
  appSecret: true,
  refreshTokenLifetimeMs: true,
} satisfies Record<keyof WechatAccount, true>);

/** Says nothing about whose id it is: a mini program's and a website's have the same form. */
export function isAppId(value: unknown): value is string {
  return typeof value === 'string' && APP_ID_FORM.test(value);
}

/** @returns the accounts, the first of which is the default; undefined if any is wrong. */
export function checkAccounts(
  settings: SettingsReader,
  lifetime: { defaultMs: number; maxMs: number },
  problems: Problems,
): readonly [WechatAccount, ...WechatAccount[]] | undefined {
  const before = problems.list.length;
  const listed = settings.read('accounts');
  const accounts =
    listed.value === undefined
      ? [
          {
            appId: checkAppId(settings.read('appId', 'WECHAT_APP_ID'), problems),
            appSecret: checkAppSecret(settings.read('appSecret', 'WECHAT_APP_SECRET'), problems),
            refreshTokenLifetimeMs: lifetime.defaultMs,
          },
        ]
      : checkListed(listed, settings, lifetime, problems);
  return problems.list.length === before && isFilled(accounts) ? accounts : undefined;
}

function checkListed(
  setting: Setting,
  settings: SettingsReader,
  lifetime: { defaultMs: number; maxMs: number },
  problems: Problems,
): WechatAccount[] {
  const entries = listOf(setting, ACCOUNTS_CURE, problems);
  for (const name of ['appId', 'appSecret']) {
    // A variable may be there for something else; an option is not.
    if (settings.read(name).value === undefined) continue;
    problems.add(
      `${name} is given beside accounts, and without effect.`,
      'Leave it out, or put it into accounts: the first is the default.',
    );
  }
  if (Array.isArray(setting.value) && entries.length === 0) {
    problems.add(`${setting.name} is empty.`, 'List at least one { appId, appSecret }.');
  }
  const accounts = entries.flatMap((entry) => {
    const { name, value } = entry;
    if (!isRecord(value)) {
      problems.add(`${name} is not an object: ${found(entry)}.`, ACCOUNTS_CURE);
      return [];
    }
    checkNames(name, value, problems);
    return [
      {
        appId: checkAppId(settingWithin(name, value, 'appId'), problems),
        appSecret: checkAppSecret(settingWithin(name, value, 'appSecret'), problems),
        refreshTokenLifetimeMs: milliseconds(
          settingWithin(name, value, 'refreshTokenLifetimeMs'),
          lifetime,
          problems,
        ),
      },
    ];
  });
  for (const appId of repeated(accounts.map((account) => account.appId).filter((id) => id !== ''))) {
    problems.add(`accounts lists the appId ${appId} twice.`, 'Keep one entry for each account.');
  }
  return accounts;
}

/** Accounts come from lists that may hold more than is ours, so only what looks mistyped is refused. */
function checkNames(place: string, account: Readonly<Record<string, unknown>>, problems: Problems): void {
  for (const name of unknownNames(account, ACCOUNT_NAMES)) {
    const near = nearestName(name, ACCOUNT_NAMES);
    if (near !== undefined)
      problems.add(`${place}.${name} is not a setting of an account.`, `Did you mean ${place}.${near}?`);
  }
}

/** @returns the app id, or an empty text with a problem noted. What has not the form of one is never repeated. */
function checkAppId(setting: Setting, problems: Problems): string {
  const cure = setting.source === 'variable' ? `${APP_ID_CURE} ${ENV_FILE}` : APP_ID_CURE;
  const text = requiredText(setting, cure, problems);
  if (text === undefined || APP_ID_FORM.test(text)) return text ?? '';
  const [, lookalike] = APP_ID_LOOKALIKES.find(([form]) => form.test(text)) ?? [];
  problems.add(
    `${setting.name} is not the form of a WeChat app id: ${lookalike ?? found(setting)}.`,
    APP_ID_CURE,
  );
  return '';
}

/** WeChat says nowhere what form a secret has, and an emulator's may have any; only what cannot be one is refused. */
function checkAppSecret(setting: Setting, problems: Problems): string {
  const text = requiredText(setting, APP_SECRET_CURE, problems);
  if (text === undefined) return '';
  const oddity = oddityOfSecret(text);
  if (oddity !== undefined) problems.add(`${setting.name} is no AppSecret: ${oddity}.`, APP_SECRET_CURE);
  return text;
}

function oddityOfSecret(text: string): string | undefined {
  if (isQuoted(text)) return 'it has quotes around it';
  if (text === 'undefined' || text === 'null') return `it is the word ${text}`;
  if (/\s/.test(text)) return 'it has a blank or a line break in it';
  if (APP_ID_FORM.test(text)) return 'it looks like an app id';
  if (/^[0-9a-f]{28,36}$/i.test(text) && text.length !== 32) {
    return `it is hexadecimal of ${text.length} characters, not 32`;
  }
  return undefined;
}

import type { WechatUserInfo } from '../common/wechat-user.js';
import { refuse } from './argument.refusal.js';

/** As many characters as the table has room for. */
const MAX_ID_LENGTH = 128;

const isText = (value: unknown): boolean => typeof value === 'string';
const isFlag = (value: unknown): boolean => typeof value === 'boolean';
const isAnything = (): boolean => true;

interface Rule {
  isMet: (value: unknown) => boolean;
  /** What belongs there. */
  wanted: string;
}

const ID = { isMet: isId, wanted: `a text of 1 to ${MAX_ID_LENGTH} characters without NUL` };
const LIFETIME = { isMet: isLifetime, wanted: "'live', 'ended' or { expiresAt: Date }" };
const TEXT = { isMet: isText, wanted: 'a text' };
const FLAG = { isMet: isFlag, wanted: 'true or false' };

/** Of `SignInWechatUserOptions`. */
const OPTIONS: Record<string, Rule> = {
  appId: TEXT,
  openid: ID,
  unionid: ID,
  scope: { isMet: (value) => value === 'base' || value === 'userinfo', wanted: "'base' or 'userinfo'" },
  userInfo: { isMet: (value) => value === null || isRecord(value), wanted: 'an object or null' },
  consent: LIFETIME,
  session: LIFETIME,
  snapshot: FLAG,
  publicUrl: TEXT,
  callOnSignIn: FLAG,
  request: { isMet: isAnything, wanted: 'anything' },
};

/** The profile of an earlier sign-in may be given as it is, with its ids: those of this sign-in replace them. */
const PROFILE: Record<keyof WechatUserInfo, Rule> = {
  openid: TEXT,
  unionid: TEXT,
  nickname: TEXT,
  headimgurl: TEXT,
  sex: { isMet: (value) => typeof value === 'number', wanted: 'a number' },
  language: TEXT,
  province: TEXT,
  city: TEXT,
  country: TEXT,
  privilege: {
    isMet: (value) => Array.isArray(value) && value.every(isText),
    wanted: 'a list of texts',
  },
};

/**
 * Finds what the compiler does not where a test is written in JavaScript. What is undefined counts as left out.
 *
 * @throws {WechatError} `invalid_argument`
 */
export function checkSignInOptions(options: unknown): void {
  if (!isRecord(options)) refuse('the options are not an object. Leave them out, or write them like {}.');
  checkAgainst(OPTIONS, '', options);
  if (isRecord(options['userInfo'])) checkAgainst(PROFILE, 'userInfo.', options['userInfo']);
}

function checkAgainst(
  rules: Readonly<Record<string, Rule>>,
  place: string,
  values: Record<string, unknown>,
): void {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (!rule) refuse(`\`${place}${name}\` is not an option. ${cureFor(name, place, Object.keys(rules))}`);
    if (!rule.isMet(value)) {
      refuse(`\`${place}${name}\` is wrong. Leave it out, or give ${rule.wanted}.`);
    }
  }
}

function cureFor(name: string, place: string, known: string[]): string {
  if (place === '' && Object.hasOwn(PROFILE, name)) {
    return `It belongs to the profile: write { userInfo: { ${name} } }.`;
  }
  return `There are: ${known.map((each) => place + each).join(', ')}.`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= MAX_ID_LENGTH && !value.includes('\0');
}

function isLifetime(value: unknown): boolean {
  return value === 'live' || value === 'ended' || (isRecord(value) && value['expiresAt'] instanceof Date);
}

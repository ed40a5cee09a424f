import type { WechatUserInfo } from '../common/wechat-user.js';
import { toWellFormed } from './redaction.js';
import { WechatResponseError } from './wechat-response.error.js';
import type { WechatAnswer, WechatCall } from './wechat.transport.js';

/** What WeChat grants for an authorization code or a refresh token. */
export interface WechatTokenResponse {
  accessToken: string;
  /** Life of the access token in milliseconds, counted from some moment after the request was sent. */
  expiresInMs: number;
  /** A refresh answers with the same one: it never moves the end of its life. */
  refreshToken: string;
  openid: string;
  /** `snsapi_base`, `snsapi_userinfo`: after a refresh all that the user has granted. May be empty. */
  scopes: readonly string[];
  unionid?: string;
  /** True on a WeChat snapshot page (快照页): openid and unionid are virtual; store and link nothing. */
  isSnapshotUser: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** Anything longer cannot be a life that WeChat gives, and would overflow a `Date` one day. */
const MAX_EXPIRES_IN_SECONDS = 1_000_000_000;

/** WeChat's ids and tokens: visible ASCII, well below 1,024 characters. */
const CREDENTIAL = /^[\x21-\x7e]{1,1024}$/;

/**
 * Reads an answer as the JSON object it should be: whatever the content type, with or without a byte order
 * mark, with broken UTF-8 or raw control characters in its strings.
 *
 * @throws {WechatResponseError} for any `errcode` but 0, any HTTP status but 2xx, and anything but an object
 */
export function parseAnswer(call: WechatCall, answer: WechatAnswer): Fields {
  const fields = parseObject(answer.body);
  const errcode = fields === undefined ? undefined : readErrcode(call, fields);
  if (fields !== undefined && errcode !== undefined && errcode !== 0) {
    const errmsg = typeof fields.errmsg === 'string' ? fields.errmsg : '';
    throw new WechatResponseError({
      endpoint: call.endpoint,
      code: 'wechat_error',
      errcode,
      errmsg,
      secrets: call.secrets,
    });
  }
  if (answer.status < 200 || answer.status > 299) throw httpError(call, answer.status);
  if (fields === undefined) throw malformed(call, 'the body is not a JSON object');
  return fields;
}

/** @throws {WechatResponseError} `malformed_response`, naming the field */
export function readTokenResponse(call: WechatCall, fields: Fields): WechatTokenResponse {
  const unionid = readOptionalCredential(call, fields, 'unionid');
  return {
    accessToken: readCredential(call, fields, 'access_token'),
    expiresInMs: readExpiresInMs(call, fields),
    refreshToken: readCredential(call, fields, 'refresh_token'),
    openid: readCredential(call, fields, 'openid'),
    // The scopes of a refresh come with a comma at the end: "snsapi_base,snsapi_userinfo,".
    scopes: readText(call, fields, 'scope')
      .split(',')
      .map((scope) => scope.trim())
      .filter((scope) => scope !== ''),
    ...(unionid === undefined ? {} : { unionid }),
    isSnapshotUser: readFlag(call, fields, 'is_snapshotuser'),
  };
}

/**
 * @param openid the user who was asked for: an answer about another user is refused
 * @throws {WechatResponseError} `malformed_response`, naming the field
 */
export function readUserInfo(call: WechatCall, fields: Fields, openid: string): WechatUserInfo {
  if (readCredential(call, fields, 'openid') !== openid) {
    // Seen reported: WeChat goes by the token and overlooks the openid. One user's name must not become another's.
    throw malformed(call, 'the field openid names another user than the one asked for');
  }
  const unionid = readOptionalCredential(call, fields, 'unionid');
  return {
    openid,
    nickname: readText(call, fields, 'nickname'),
    headimgurl: readText(call, fields, 'headimgurl'),
    sex: readSex(call, fields),
    language: readText(call, fields, 'language'),
    province: readText(call, fields, 'province'),
    city: readText(call, fields, 'city'),
    country: readText(call, fields, 'country'),
    privilege: readPrivilege(call, fields),
    ...(unionid === undefined ? {} : { unionid }),
  };
}

/** `{"errcode":0,"errmsg":"ok"}` is how `/sns/auth` says yes; nothing else is. */
export function requireErrcodeZero(call: WechatCall, fields: Fields): void {
  if (readErrcode(call, fields) !== 0) throw missing(call, 'errcode');
}

function parseObject(body: string): Fields | undefined {
  // A byte order mark goes as well.
  const text = body.trim();
  const value = parseJson(text) ?? parseJson(escapeControlCharacters(text));
  return isObject(value) ? value : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The SyntaxError is dropped on purpose: its message quotes the text, tokens included.
    return undefined;
  }
}

/** Control characters become escapes inside strings and blanks outside of them. */
function escapeControlCharacters(text: string): string {
  let escaped = '';
  let inString = false;
  let afterBackslash = false;
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (codePoint < 0x20) {
      escaped += inString ? `\\u${codePoint.toString(16).padStart(4, '0')}` : ' ';
      afterBackslash = false;
      continue;
    }
    if (character === '"' && !afterBackslash) inString = !inString;
    afterBackslash = character === '\\' && !afterBackslash;
    escaped += character;
  }
  return escaped;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readErrcode(call: WechatCall, fields: Fields): number | undefined {
  const value = fields.errcode ?? undefined;
  if (value === undefined) return undefined;
  const errcode = toNumber(value);
  if (errcode === undefined || !Number.isSafeInteger(errcode)) throw missing(call, 'errcode');
  return errcode;
}

function readCredential(call: WechatCall, fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || !CREDENTIAL.test(value)) throw missing(call, name);
  return value;
}

function readOptionalCredential(call: WechatCall, fields: Fields, name: string): string | undefined {
  return isAbsent(fields[name]) || fields[name] === '' ? undefined : readCredential(call, fields, name);
}

function readExpiresInMs(call: WechatCall, fields: Fields): number {
  const seconds = toNumber(fields.expires_in);
  if (seconds === undefined || !(seconds > 0 && seconds <= MAX_EXPIRES_IN_SECONDS)) {
    throw missing(call, 'expires_in');
  }
  return Math.round(seconds * 1000);
}

/** Text as PostgreSQL can store it: without NUL and without half characters. */
function readText(call: WechatCall, fields: Fields, name: string): string {
  const value = fields[name];
  if (isAbsent(value)) return '';
  if (typeof value !== 'string') throw missing(call, name);
  return toWellFormed(value.replaceAll('\0', ''));
}

function readFlag(call: WechatCall, fields: Fields, name: string): boolean {
  const value = fields[name];
  if (value === 1 || value === '1' || value === true) return true;
  if (isAbsent(value) || value === 0 || value === '0' || value === false || value === '') return false;
  throw missing(call, name);
}

function readSex(call: WechatCall, fields: Fields): number {
  if (isAbsent(fields.sex)) return 0;
  const sex = toNumber(fields.sex);
  if (sex === undefined || !Number.isSafeInteger(sex)) throw missing(call, 'sex');
  return sex;
}

function readPrivilege(call: WechatCall, fields: Fields): string[] {
  const value = fields.privilege;
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw missing(call, 'privilege');
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw missing(call, 'privilege');
    return toWellFormed(item.replaceAll('\0', ''));
  });
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function httpError(call: WechatCall, status: number): WechatResponseError {
  const detail = `HTTP status ${String(status)} without an errcode`;
  if (status === 429 || status >= 500) {
    return new WechatResponseError({
      endpoint: call.endpoint,
      code: 'unreachable',
      detail,
      class: status === 429 ? 'quota' : 'transient',
      secrets: call.secrets,
    });
  }
  return malformed(call, detail);
}

function missing(call: WechatCall, field: string): WechatResponseError {
  return malformed(call, `the field ${field} is missing or not what it should be`);
}

function malformed(call: WechatCall, detail: string): WechatResponseError {
  return new WechatResponseError({
    endpoint: call.endpoint,
    code: 'malformed_response',
    detail,
    secrets: call.secrets,
  });
}

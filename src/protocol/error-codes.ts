import type { WechatEndpoint, WechatErrorClass, WechatErrorCodeEntry } from './error-code.entry.js';
import { CALL_ERROR_CODES } from './error-codes.calls.js';
import { GRANT_ERROR_CODES } from './error-codes.grants.js';
import { SETUP_ERROR_CODES } from './error-codes.setup.js';

export type { LocalizedText, WechatErrorClass } from './error-code.entry.js';

/** What is known about one of WeChat's error codes. */
export interface WechatErrorCode extends WechatErrorCodeEntry {
  /** Whether the same call may succeed later. */
  retryable: boolean;
}

/**
 * Every error code that web-page sign-in can meet, on the API and on the pages people see, by number.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 * @see https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
 */
export const WECHAT_ERROR_CODES: readonly WechatErrorCode[] = [
  ...GRANT_ERROR_CODES,
  ...SETUP_ERROR_CODES,
  ...CALL_ERROR_CODES,
]
  .map((entry) => ({ ...entry, retryable: isRetryable(entry.class) }))
  .sort((a, b) => a.errcode - b.errcode);

const BY_ERRCODE = new Map(WECHAT_ERROR_CODES.map((entry) => [entry.errcode, entry]));

/** @returns undefined for a code that the catalogue does not know */
export function describeErrorCode(errcode: number): WechatErrorCode | undefined {
  return BY_ERRCODE.get(errcode);
}

/** The class of a code when it answers this call. A few codes mean different things at different calls. */
export function classifyErrorCode(errcode: number, endpoint: WechatEndpoint): WechatErrorClass | undefined {
  const entry = BY_ERRCODE.get(errcode);
  return entry?.classAt?.[endpoint] ?? entry?.class;
}

/** Whether failures of this class pass by themselves. */
export function isRetryable(errorClass: WechatErrorClass): boolean {
  return errorClass === 'transient' || errorClass === 'quota';
}

import type { WechatErrorClass } from '../protocol/error-codes.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';

/**
 * What a refresh that failed means for the grant:
 * - `later`: nothing; it is tried again, after longer and longer pauses
 * - `next-minute`: nothing; the account has used up its calls
 * - `rejected`: the pair is suspect, and dead the second time
 * - `stop-account`: nothing; the account is stopped until somebody has mended it
 * - `tomorrow`: nothing; WeChat bars the user, and may let the user in again
 */
export type RefreshFailure = 'later' | 'next-minute' | 'rejected' | 'stop-account' | 'tomorrow';

/**
 * By what kind of failure WeChat's answer is. Codes that nobody knows mark nobody: a new code of WeChat's must not end
 * what thousands of users have granted.
 */
export const REFRESH_FAILURES: Readonly<Record<WechatErrorClass | 'unknown', RefreshFailure>> = {
  transient: 'later', //       -1, time-outs, HTTP 5xx
  quota: 'next-minute', //     45009, 45011
  token: 'rejected', //        40030, 42002, 42007
  configuration: 'stop-account', // 40013, 40125, 48004, 61003
  user: 'tomorrow', //         50002
  consent: 'later', //         not an answer to a refresh, by all that is known
  code: 'later', //            the same
  usage: 'later', //           41002, 41003: a fault of this module's
  unknown: 'later',
};

/** @param error whatever a refresh failed with: also a seal that cannot be opened, whose key may come back. */
export function failureOf(error: unknown): RefreshFailure {
  return error instanceof WechatResponseError ? REFRESH_FAILURES[error.class] : 'later';
}

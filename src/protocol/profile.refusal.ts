import type { WechatScope } from '../common/wechat-user.js';
import { WechatResponseError } from './wechat-response.error.js';

/** `api unauthorized`: this token may not read the profile. */
const API_UNAUTHORIZED = 48001;
/** The user has not agreed to this, or no longer does. */
const USER_NOT_AUTHORIZED = 50001;

/**
 * Whether WeChat says that the profile may not be read with a token of this scope, rather than that it cannot be
 * just now.
 */
export function isProfileRefused(error: unknown, pairScope: WechatScope): boolean {
  if (!(error instanceof WechatResponseError)) return false;
  return (
    error.errcode === API_UNAUTHORIZED || (error.errcode === USER_NOT_AUTHORIZED && pairScope === 'userinfo')
  );
}

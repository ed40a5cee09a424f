import { WechatError } from '../common/errors.js';

/**
 * A sign-in ended without a user. `code` is `access_denied` (the user refused), `invalid_ticket` (the callback
 * was damaged or is not one of ours), `invalid_state` (it was not this browser's, or came too late), `too_many_attempts` (restarting did not
 * help), `sign_in_rejected` (`onSignIn` threw; see `cause`) or `consent_ended` (WeChat keeps refusing the profile
 * right after the consent).
 *
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
 */
export class WechatAuthorizationError extends WechatError {
  declare readonly code: WechatAuthorizationErrorCode;

  constructor(code: WechatAuthorizationErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

export type WechatAuthorizationErrorCode =
  | 'access_denied'
  | 'invalid_ticket'
  | 'invalid_state'
  | 'too_many_attempts'
  | 'sign_in_rejected'
  | 'consent_ended';

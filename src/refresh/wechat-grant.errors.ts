import { WechatError } from '../common/errors.js';

/** Why the user has to be asked before the token can be had. */
export type ConsentRequiredReason =
  /** The user has never agreed to give the profile. */
  | 'never'
  /** The consent has ended, by its time or because WeChat says so. */
  | 'ended'
  /** The pair of tokens was replaced or rejected. A page of the user's brings a new one, silently in most cases. */
  | 'pair';

/** There is no token to be had: the user has to open a page that is marked `@WechatAuth('userinfo')`. */
export class WechatConsentRequiredError extends WechatError {
  declare readonly code: 'consent_required';
  readonly reason: ConsentRequiredReason;

  constructor(reason: ConsentRequiredReason, options?: ErrorOptions) {
    super(
      'consent_required',
      `${REASONS[reason]} Send the user to a page that is marked @WechatAuth('userinfo').`,
      options,
    );
    this.reason = reason;
  }
}

const REASONS: Readonly<Record<ConsentRequiredReason, string>> = {
  never: 'The user has not agreed to give the profile.',
  ended: "The user's consent has ended.",
  pair: "WeChat does not take the user's tokens any more.",
};

/** Nothing is stored of this user at this account: no sign-in of theirs has completed, or they were forgotten. */
export class WechatGrantNotFoundError extends WechatError {
  declare readonly code: 'grant_not_found';

  constructor() {
    super(
      'grant_not_found',
      'Nothing is stored of this user at this account: check appId and openid, or let the user sign in first.',
    );
  }
}

export type RefreshErrorCode =
  /** Another process has tried and failed. */
  | 'refresh_failed'
  /** Another process is at it, and takes too long. */
  | 'refresh_timeout'
  /** WeChat says that something about the account is wrong; it is tried once in five minutes. */
  | 'account_stopped';

/** The token cannot be refreshed just now, for a reason that is not the user's: come back later. */
export class WechatRefreshError extends WechatError {
  declare readonly code: RefreshErrorCode;
  readonly retryable = true;

  constructor(code: RefreshErrorCode) {
    super(code, REFRESH_FAILURES[code]);
  }
}

const REFRESH_FAILURES: Readonly<Record<RefreshErrorCode, string>> = {
  refresh_failed:
    'The access token could not be refreshed just now: another process has tried and failed. Try again shortly.',
  refresh_timeout:
    'The access token is being refreshed by another process, which takes too long. Try again shortly.',
  account_stopped:
    'The access token is not refreshed: WeChat says that something about the account is wrong, see the log. It is tried again every five minutes.',
};

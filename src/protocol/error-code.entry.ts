/** A call of WeChat's API: exchange of the code, refresh, profile, check of an access token. */
export type WechatEndpoint = 'token' | 'refresh' | 'userinfo' | 'auth';

/**
 * What kind of failure a code stands for, and so who can do something about it:
 * - `transient`: WeChat is busy; later
 * - `quota`: too many calls; later and slower
 * - `code`: the authorization code is spent, old or not ours; a new authorization
 * - `token`: the access or refresh token is dead; a refresh or a new authorization
 * - `consent`: the user has not agreed to this; ask them
 * - `configuration`: the operator of the application, at WeChat's console or in its settings
 * - `user`: WeChat bars this user; nothing helps
 * - `usage`: the program that made the call is wrong
 */
export type WechatErrorClass =
  'transient' | 'quota' | 'code' | 'token' | 'consent' | 'configuration' | 'user' | 'usage';

/** One text in simplified Chinese and in English. */
export interface LocalizedText {
  zh: string;
  en: string;
}

/** One code as the catalogue's files write it down. */
export interface WechatErrorCodeEntry {
  errcode: number;
  /** WeChat's own text, as far as it is known; the request id that WeChat appends is left out. */
  errmsg?: string;
  class: WechatErrorClass;
  /** Calls at which the code means something else. */
  classAt?: Partial<Record<WechatEndpoint, WechatErrorClass>>;
  meaning: LocalizedText;
  /** Likeliest first. */
  causes: readonly LocalizedText[];
  /** What to do, in one line. */
  cure: LocalizedText;
}

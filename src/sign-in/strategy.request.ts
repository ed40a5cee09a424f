import type { WechatScope } from '../common/wechat-user.js';

/** What the strategy reads of a request: nothing of the platform's, only what the OAuth dance is about. */
export interface StrategyRequest {
  query: { code?: string; state?: string };
  sealedTicket: string;
  /** The browser's id. A state belongs to one browser. */
  browserId: string | undefined;
}

/** Passport's options of one `authenticate` call. */
export interface StrategyOptions {
  callbackURL: string;
  scope: WechatScope;
  /** Asks the user on WeChat's page even if WeChat remembers a consent. */
  forcePopup?: boolean;
}

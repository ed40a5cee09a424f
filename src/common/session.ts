import type { PublicUrl } from './public-url.js';

/** What the browser carries between requests. Holds no token and no profile. */
export interface WechatSession {
  /** Identifies this session among all. */
  id: string;
  appId: string;
  openid: string;
  unionid?: string;
  issuedAt: Date;
  /** From here on the session proves who the user was, but lets nobody in. */
  expiresAt: Date;
  /** True for the virtual user of a snapshot page (快照页). */
  snapshot: boolean;
}

/** Which of a browser's sessions is meant: one per account and public URL. */
export interface WechatSessionScope {
  appId: string;
  publicUrl: PublicUrl;
}

/** Keeps the session of a browser. The default is one sealed cookie. */
export abstract class WechatSessionStore {
  /**
   * @returns the session that the request carries, also when it has expired; undefined if there is none or if it
   * is not authentic. Null counts as undefined.
   */
  abstract read(
    request: unknown,
    scope: WechatSessionScope,
  ): WechatSession | undefined | Promise<WechatSession | undefined>;
  abstract write(response: unknown, session: WechatSession, scope: WechatSessionScope): void | Promise<void>;
  abstract clear(response: unknown, scope: WechatSessionScope): void | Promise<void>;
}

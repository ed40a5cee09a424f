import { WechatConfigurationError, WechatError } from '../common/errors.js';
import type { WechatAccount } from '../common/options.js';
import type { WechatScope, WechatUserInfo } from '../common/wechat-user.js';
import { parseUrl } from '../common/parsed-url.js';
import { toWellFormed } from './redaction.js';
import { WechatResponseError } from './wechat-response.error.js';
import {
  parseAnswer,
  readTokenResponse,
  readUserInfo,
  requireErrcodeZero,
  type WechatTokenResponse,
} from './wechat-response.parser.js';
import { inWechatSpan } from './wechat.span.js';
import { parseBaseUrl, WechatTransport, type WechatCall } from './wechat.transport.js';

export type { WechatTokenResponse } from './wechat-response.parser.js';

type Account = Pick<WechatAccount, 'appId' | 'appSecret'>;

export interface WechatClientOptions {
  /** At least one. */
  accounts: readonly Account[];
  /** Where WeChat's pages are: `https://open.weixin.qq.com`, or an emulator. */
  openBaseUrl: string;
  /** Where WeChat's API is: `https://api.weixin.qq.com`, or an emulator. */
  apiBaseUrl: string;
  /** Time limit of each call, in milliseconds, from the call to the last byte of the answer. */
  requestTimeoutMs: number;
}

/**
 * WeChat's web-page OAuth over HTTP: one method per request, nothing stored, nothing repeated.
 *
 * Every method that calls WeChat fails with a {@link WechatResponseError}, whose `errcode` and `retryable` tell
 * what to do. With several accounts each method takes the `appId` it is about; with one it may be left out.
 *
 * @example
 * const url = client.buildAuthorizationUrl({ redirectUri, scope: 'base', state });
 * // WeChat sends the user to redirectUri with ?code=...&state=...
 * const { openid, accessToken } = await client.authorizationCodeGrant({ code });
 */
export class WechatClient {
  // Private to the language, not only to the compiler: a logged client shows no secret.
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #authorizationEndpoint: string;
  readonly #transport: WechatTransport;

  /** @throws {WechatConfigurationError} without an account, or with a base URL that is none */
  constructor(options: WechatClientOptions) {
    if (options.accounts.length === 0) {
      throw new WechatConfigurationError([
        {
          problem: 'No WeChat account is set.',
          cure: 'Set WECHAT_APP_ID and WECHAT_APP_SECRET, or the option accounts.',
        },
      ]);
    }
    this.#accounts = new Map(options.accounts.map((account) => [account.appId, account]));
    const openUrl = parseBaseUrl(options.openBaseUrl, 'WECHAT_OPEN_BASE_URL');
    this.#authorizationEndpoint = `${openUrl.origin}${openUrl.pathname.replace(/\/+$/, '')}/connect/oauth2/authorize`;
    this.#transport = new WechatTransport({
      baseUrl: options.apiBaseUrl,
      requestTimeoutMs: options.requestTimeoutMs,
    });
  }

  /**
   * The address that starts a sign-in. To be opened inside WeChat.
   *
   * @param p.redirectUri absolute; its host has to be registered with WeChat as 网页授权域名
   * @param p.state 1 to 128 of [a-zA-Z0-9]: WeChat shows an error page for more
   * @param p.forcePopup ask the user even if the consent of an earlier day still holds
   * @throws {WechatError} `invalid_state`, `invalid_redirect_uri`, `app_id_required`, `unknown_app_id`
   * @see https://developers.weixin.qq.com/doc/service/guide/h5/auth.html
   */
  buildAuthorizationUrl(p: {
    appId?: string;
    redirectUri: string;
    scope: WechatScope;
    state: string;
    forcePopup?: boolean;
  }): string {
    const { appId } = this.#account(p.appId);
    if (!/^[a-zA-Z0-9]{1,128}$/.test(p.state)) {
      throw new WechatError(
        'invalid_state',
        `state must be 1 to 128 characters of a-z, A-Z and 0-9, as WeChat allows no others; this one has ${String(p.state.length)} characters.`,
      );
    }
    if (!/^https?:\/\//i.test(p.redirectUri) || !parseUrl(p.redirectUri)) {
      throw new WechatError(
        'invalid_redirect_uri',
        'redirectUri must be an absolute http or https URL, for example https://shop.example.com/wechat/callback.',
      );
    }
    // WeChat compares the link with a pattern: this order, and the fragment at the end, are part of it.
    // encodeURIComponent, since nobody knows whether WeChat reads a plus as a blank.
    const query = [
      `appid=${encodeURIComponent(appId)}`,
      `redirect_uri=${encodeURIComponent(toWellFormed(p.redirectUri))}`,
      'response_type=code',
      `scope=snsapi_${p.scope}`,
      `state=${p.state}`,
      ...(p.forcePopup === true ? ['forcePopup=true'] : []),
    ];
    return `${this.#authorizationEndpoint}?${query.join('&')}#wechat_redirect`;
  }

  /**
   * Exchanges an authorization code for tokens. A code works once and for 5 minutes; even a failed exchange may
   * spend it, so do not repeat one: start a new authorization.
   *
   * @throws {WechatResponseError} 40029 wrong or expired code, 40163 used code, 40125 wrong app secret
   * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
   */
  async authorizationCodeGrant(p: { appId?: string; code: string }): Promise<WechatTokenResponse> {
    const { appId, appSecret } = this.#account(p.appId);
    const call: WechatCall = {
      endpoint: 'token',
      path: '/sns/oauth2/access_token',
      query: { appid: appId, secret: appSecret, code: p.code, grant_type: 'authorization_code' },
      secrets: [appSecret, p.code],
    };
    return readTokenResponse(call, await this.#send(call));
  }

  /**
   * Gets an access token with 7200 s of life: the same one while it is alive, else a new one. The refresh token
   * stays the same and ends when it would have ended anyway.
   *
   * @throws {WechatResponseError} 40030 and 42002: the refresh token is dead, the user has to authorize again
   * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsrefreshtoken
   */
  async refreshTokenGrant(p: { appId?: string; refreshToken: string }): Promise<WechatTokenResponse> {
    const { appId } = this.#account(p.appId);
    const call: WechatCall = {
      endpoint: 'refresh',
      path: '/sns/oauth2/refresh_token',
      query: { appid: appId, grant_type: 'refresh_token', refresh_token: p.refreshToken },
      secrets: [p.refreshToken],
    };
    return readTokenResponse(call, await this.#send(call));
  }

  /**
   * Reads a user's profile. Needs an access token from a userinfo consent.
   *
   * @param p.openid the user the access token belongs to; an answer about another user is refused
   * @param p.lang language of province, city and country; default `zh_CN`
   * @throws {WechatResponseError} 48001: the user's consent is missing, send them to a userinfo authorization
   * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo
   */
  async fetchUserInfo(p: {
    accessToken: string;
    openid: string;
    lang?: 'zh_CN' | 'zh_TW' | 'en';
  }): Promise<WechatUserInfo> {
    const call: WechatCall = {
      endpoint: 'userinfo',
      path: '/sns/userinfo',
      query: { access_token: p.accessToken, openid: p.openid, lang: p.lang ?? 'zh_CN' },
      secrets: [p.accessToken, p.openid],
    };
    return readUserInfo(call, await this.#send(call), p.openid);
  }

  /**
   * Asks WeChat whether an access token is alive and belongs to this user.
   *
   * @returns true if it does; false if WeChat says the token or the openid is not valid (40001, 40003, 40014,
   *   42001, 42007 and their like)
   * @throws {WechatResponseError} if WeChat gave no answer to the question
   * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsauth
   */
  async verifyAccessToken(p: { accessToken: string; openid: string }): Promise<boolean> {
    const call: WechatCall = {
      endpoint: 'auth',
      path: '/sns/auth',
      query: { access_token: p.accessToken, openid: p.openid },
      secrets: [p.accessToken, p.openid],
    };
    try {
      requireErrcodeZero(call, await this.#send(call));
      return true;
    } catch (error) {
      if (error instanceof WechatResponseError && error.class === 'token') return false;
      throw error;
    }
  }

  /** Waits for the calls in flight, then closes the connections. Calls made afterwards fail. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #send(call: WechatCall): Promise<Readonly<Record<string, unknown>>> {
    return inWechatSpan(call.endpoint, call.path, async () =>
      parseAnswer(call, await this.#transport.get(call)),
    );
  }

  #account(appId: string | undefined): Account {
    if (appId === undefined) {
      const [only, second] = this.#accounts.values();
      if (only !== undefined && second === undefined) return only;
      throw new WechatError(
        'app_id_required',
        `Several WeChat accounts are set (${this.#appIds()}), so the account must be named: pass appId.`,
      );
    }
    const account = this.#accounts.get(appId);
    if (account !== undefined) return account;
    throw new WechatError(
      'unknown_app_id',
      `No WeChat account ${appId} is set, only ${this.#appIds()}: correct the appId, or add the account to the option accounts.`,
    );
  }

  #appIds(): string {
    return [...this.#accounts.keys()].join(', ');
  }
}

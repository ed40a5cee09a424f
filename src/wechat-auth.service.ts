import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from './common/clock.js';
import { WechatError } from './common/errors.js';
import { WechatEvents } from './common/events.js';
import type { WechatUserInfo } from './common/wechat-user.js';
import { ConsentRepository } from './grants/consent.repository.js';
import { ErasureRepository } from './grants/erasure.repository.js';
import { Revocations } from './grants/revocations.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from './common/options.js';
import type { GrantKey } from './grants/grant.reader.js';
import { UserInfos, type WechatLanguage } from './refresh/user.infos.js';
import { Refresher, type RefreshReport } from './refresh/refresher.js';
import { WechatGrantNotFoundError } from './refresh/wechat-grant.errors.js';
import { HttpExchanges } from './sign-in/http-exchange.js';
import { PublicUrls } from './sign-in/public-urls.js';
import { SignOut } from './sign-in/sign-out.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** As many as the tables hold. */
const MAX_OPENID_LENGTH = 128;

/** A user at an account: what `@CurrentWechatUser()` gives, or the ids. With one account `appId` may be left out. */
export interface WechatUserKey {
  readonly openid: string;
  readonly appId?: string;
  readonly snapshot?: boolean;
}

/** What a handler or a job of the host may ask of this module. */
@Injectable()
export class WechatAuthService {
  constructor(
    @Inject(HttpExchanges) private readonly exchanges: HttpExchanges,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
    @Inject(SignOut) private readonly signOuts: SignOut,
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(UserInfos) private readonly userInfos: UserInfos,
    @Inject(Refresher) private readonly refresher: Refresher,
    @Inject(ConsentRepository) private readonly consents: ConsentRepository,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatEvents) private readonly events: WechatEvents,
    @Inject(ErasureRepository) private readonly erasures: ErasureRepository,
    @Inject(Revocations) private readonly revocations: Revocations,
  ) {}

  /**
   * An access token for calls of your own. However many ask at once, in however many processes, there is one refresh.
   *
   * @returns a token that may read the profile and lives for 60 s at least.
   * @throws {WechatConsentRequiredError} if the user has to come to a userinfo page first.
   * @throws {WechatGrantNotFoundError} if nothing is stored of this user.
   * @throws {WechatResponseError} if WeChat fails just now; `retryable` tells whether to come back.
   * @throws {WechatRefreshError} if another process refreshes the token and has failed or takes too long, or the account
   *   is stopped; come back later.
   */
  async getAccessToken(key: WechatUserKey): Promise<string> {
    return this.userInfos.provenToken(this.keyOf(key));
  }

  /**
   * A user's profile: the stored one if it is young enough, else WeChat's, which is stored then.
   *
   * @param options.maxAgeMs how old the stored one may be, in milliseconds. Default: 24 hours. 0 always asks WeChat.
   * @param options.lang language of province, city and country, which WeChat has left empty since 2021.
   * @throws {WechatConsentRequiredError} if the user has to come to a userinfo page first.
   * @throws {WechatGrantNotFoundError} if nothing is stored of this user.
   * @throws {WechatResponseError} if WeChat fails just now; `retryable` tells whether to come back.
   * @throws {WechatRefreshError} if another process refreshes the token and has failed or takes too long, or the account
   *   is stopped; come back later.
   */
  async getUserInfo(
    key: WechatUserKey,
    { maxAgeMs = DAY_MS, lang }: { maxAgeMs?: number; lang?: WechatLanguage } = {},
  ): Promise<WechatUserInfo> {
    return this.userInfos.get(this.keyOf(key), maxAgeMs, lang);
  }

  /**
   * Ends a user's consent, so that the user is asked again: the next userinfo page explains, and then shows WeChat's own
   * consent page, also if WeChat remembers a consent. Stored data stays; `forget` deletes it.
   *
   * @throws {WechatGrantNotFoundError} if nothing is stored of this user.
   */
  async requireConsent(key: WechatUserKey): Promise<void> {
    const grant = this.keyOf(key);
    if (!(await this.consents.require(grant, this.clock.now()))) throw new WechatGrantNotFoundError();
    this.events.emit('wechat.consent-required', { ...grant, reason: 'requested' });
  }

  /**
   * Refreshes what is due now, for those who bring a schedule of their own and set `refresh: false`. Several instances
   * may do so at once.
   *
   * @returns how many access tokens were refreshed, and how many were not because WeChat or the database failed.
   */
  refreshDue(): Promise<RefreshReport> {
    return this.refresher.sweep();
  }

  /**
   * Deletes all that is stored of a user, and ends the user's sessions: on this instance at once, on others within half a
   * minute. May be repeated, and succeeds also where nothing is stored. Whoever comes back later is new here.
   */
  async forget(key: WechatUserKey): Promise<void> {
    const user = this.keyOf({ ...key, snapshot: false });
    // Of the virtual user of a snapshot page nothing was ever stored.
    if (key.snapshot) return;
    this.revocations.take([await this.erasures.forget(user, () => this.clock.now())]);
    this.events.emit('wechat.forgotten', user);
  }

  /**
   * Ends the sessions of the browser that sent the request, also for whoever has a copy of its cookie: on this instance
   * at once, on others within half a minute. The browser is not signed in again before its user asks for it. Call it
   * before the response's headers are sent.
   *
   * @param request the platform's request, Express's or Fastify's.
   * @param response the platform's response, of the same exchange.
   * @throws {WechatError} `unknown_host` if the request came by a host that `WECHAT_PUBLIC_URL` does not name.
   */
  async signOut(request: unknown, response: unknown): Promise<void> {
    const exchange = this.exchanges.of(request, response);
    const publicUrl = this.publicUrls.of(exchange);
    if (!publicUrl) {
      throw new WechatError(
        'unknown_host',
        'The request came by a host that WECHAT_PUBLIC_URL does not name, so it has no session to end. Add the host there.',
      );
    }
    await this.signOuts.signOut(exchange, publicUrl);
  }

  /** @throws {WechatError} `invalid_openid`, `app_id_required`, `unknown_app_id` */
  private keyOf({ appId, openid, snapshot }: WechatUserKey): GrantKey {
    // A host may pass on what came from outside. Where an object stands instead of a text, TypeORM looks for conditions in
    // it, and an empty one would stand for all users of the account.
    if (!isOpenid(openid)) {
      throw new WechatError(
        'invalid_openid',
        `openid is not a text of 1 to ${MAX_OPENID_LENGTH} characters: pass what @CurrentWechatUser() gives, or its openid.`,
      );
    }
    const { accounts } = this.options;
    const known = accounts.map((account) => account.appId).join(', ');
    if (appId === undefined && accounts.length > 1) {
      throw new WechatError('app_id_required', `There are several accounts (${known}): name one by appId.`);
    }
    if (appId !== undefined && !accounts.some((account) => account.appId === appId)) {
      throw new WechatError('unknown_app_id', `There is no account ${appId}, only ${known}: correct appId.`);
    }
    // Behind the ids of a snapshot page there is nobody.
    if (snapshot) throw new WechatGrantNotFoundError();
    return { appId: appId ?? accounts[0].appId, openid };
  }
}

/** @param openid as far as the host's compiler has seen to it. PostgreSQL takes no zero bytes. */
function isOpenid(openid: unknown): boolean {
  if (typeof openid !== 'string' || openid.includes('\0')) return false;
  return openid.length > 0 && openid.length <= MAX_OPENID_LENGTH;
}

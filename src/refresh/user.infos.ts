import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { openidForLogs } from '../common/digest.js';
import { WechatEvents } from '../common/events.js';
import { SealError } from '../common/sealer.js';
import type { WechatUserInfo } from '../common/wechat-user.js';
import type { GrantKey } from '../grants/grant.reader.js';
import { GrantRepository } from '../grants/grant.repository.js';
import type { WechatGrant } from '../grants/wechat-grant.entity.js';
import { isProfileRefused } from '../protocol/profile.refusal.js';
import { WechatClient } from '../protocol/wechat.client.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';
import { AccessTokens } from './access.tokens.js';
import { WechatConsentRequiredError, WechatGrantNotFoundError } from './wechat-grant.errors.js';

export type WechatLanguage = 'zh_CN' | 'zh_TW' | 'en';

/** Profiles for handlers and jobs: the stored one while it is young enough, else WeChat's. */
@Injectable()
export class UserInfos {
  private readonly logger = new Logger('WechatUserInfos');
  private readonly inFlight = new Map<string, Promise<WechatUserInfo>>();

  constructor(
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(GrantRepository) private readonly grants: GrantRepository,
    @Inject(AccessTokens) private readonly tokens: AccessTokens,
    @Inject(WechatClient) private readonly client: WechatClient,
    @Inject(WechatEvents) private readonly events: WechatEvents,
  ) {}

  /** @returns the profile as WeChat had it at most `maxAgeMs` milliseconds ago. */
  async get(key: GrantKey, maxAgeMs: number, lang?: WechatLanguage): Promise<WechatUserInfo> {
    const grant = await this.grants.find(key);
    if (!grant) throw new WechatGrantNotFoundError();
    const fetchedAt = grant.userInfoFetchedAt?.getTime() ?? -Infinity;
    const stored = fetchedAt + maxAgeMs > this.clock.now().getTime() ? this.open(grant) : undefined;
    return stored ?? this.fetchOnce(key, lang);
  }

  /** A profile that nobody can open any more is fetched anew, as on a page. */
  private open(grant: WechatGrant): WechatUserInfo | undefined {
    try {
      return this.grants.openUserInfo(grant);
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      this.logger.error(
        `The profile of ${openidForLogs(grant.openid)} cannot be opened and is fetched anew: ${error.message}`,
      );
      return undefined;
    }
  }

  /**
   * @returns an access token that is known to read the profile. One of a silent sign-in after a consent may or may not:
   * only the profile call tells.
   */
  async provenToken(key: GrantKey): Promise<string> {
    const grant = await this.grants.find(key);
    if (grant?.pairAbility === 'unknown') await this.fetchOnce(key);
    return this.tokens.get(key);
  }

  private fetchOnce(key: GrantKey, lang?: WechatLanguage): Promise<WechatUserInfo> {
    const call = `${key.appId} ${key.openid} ${lang ?? ''}`;
    const running = this.inFlight.get(call);
    if (running) return running;
    const started = this.fetch(key, lang).finally(() => this.inFlight.delete(call));
    this.inFlight.set(call, started);
    return started;
  }

  private async fetch(key: GrantKey, lang?: WechatLanguage): Promise<WechatUserInfo> {
    const token = await this.tokens.get(key);
    try {
      return await this.ask(key, token, lang);
    } catch (error) {
      if (!isRejection(error)) throw error;
      // The token should be alive and is not: a password was changed, or another application shares the account.
      const replaced = await this.tokens.replace(key, token);
      return this.ask(key, replaced, lang).catch((second: unknown) =>
        this.noteRejection(key, replaced, second),
      );
    }
  }

  private async ask(key: GrantKey, accessToken: string, lang?: WechatLanguage): Promise<WechatUserInfo> {
    const { openid } = key;
    // As it was before WeChat was asked: what is learnt is about this pair.
    const grant = await this.grantOf(key);
    try {
      const userInfo = await this.client.fetchUserInfo({ accessToken, openid, ...(lang && { lang }) });
      await this.grants.saveUserInfo(grant, userInfo, this.clock.now());
      return userInfo;
    } catch (error) {
      if (isProfileRefused(error, grant.pairScope)) await this.noteRefusal(grant, error);
      throw error;
    }
  }

  /** To a pair that came with a consent it means that the consent has ended; to a silent one, that it cannot. */
  private async noteRefusal(grant: WechatGrant, cause: unknown): Promise<never> {
    const { appId, openid, pairScope } = grant;
    if (await this.grants.markUnable(grant, this.clock.now())) {
      this.events.emit('wechat.consent-required', { appId, openid, reason: 'refused' });
    }
    if (pairScope === 'base') throw new WechatConsentRequiredError('pair', { cause });
    throw new WechatConsentRequiredError('ended', { cause });
  }

  private async noteRejection(key: GrantKey, rejected: string, error: unknown): Promise<never> {
    if (!isRejection(error)) throw error;
    const grant = await this.grantOf(key);
    // A sign-in may have brought another pair meanwhile, of which WeChat has said nothing.
    const isOfPair = this.grants.openTokens(grant).accessToken === rejected;
    if (isOfPair && (await this.grants.markRejected(grant, this.clock.now())))
      this.events.emit('wechat.consent-required', { ...key, reason: 'rejected' });
    throw new WechatConsentRequiredError('pair', { cause: error });
  }

  private async grantOf(key: GrantKey): Promise<WechatGrant> {
    const grant = await this.grants.find(key);
    if (!grant) throw new WechatGrantNotFoundError();
    return grant;
  }
}

function isRejection(error: unknown): boolean {
  return error instanceof WechatResponseError && error.class === 'token';
}

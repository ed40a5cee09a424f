import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { openidForLogs } from '../common/digest.js';
import { WechatEvents } from '../common/events.js';
import { OpenedCache } from '../common/opened.cache.js';
import { SealError } from '../common/sealer.js';
import type { WechatUserInfo } from '../common/wechat-user.js';
import { GrantRepository } from '../grants/grant.repository.js';
import { mayTryPair } from '../grants/grant.standing.js';
import type { WechatGrant } from '../grants/wechat-grant.entity.js';
import { WechatClient } from '../protocol/wechat.client.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';
import { isProfileRefused } from '../protocol/profile.refusal.js';

/** After a failure WeChat is left alone for a while: every request of the user would wait for it otherwise. */
const PAUSE_MS = 30_000;
/** More users than wait for a profile at once; the oldest pauses are forgotten beyond it. */
const MAX_PAUSES = 10_000;

/** The row is read for every request, and holds the same sealed profile as before nearly always; about 2 kB each. */
const MAX_OPENED = 5_000;

/** Users' profiles: the stored one, or one that WeChat failed to give at the sign-in and is asked for again. */
@Injectable()
export class Profiles {
  private readonly logger = new Logger(Profiles.name);
  private readonly opened = new OpenedCache<WechatUserInfo>(MAX_OPENED);
  private readonly inFlight = new Map<string, Promise<WechatUserInfo | undefined>>();
  private readonly pausedUntil = new Map<string, number>();

  constructor(
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(GrantRepository) private readonly grants: GrantRepository,
    @Inject(WechatClient) private readonly client: WechatClient,
    @Inject(WechatEvents) private readonly events: WechatEvents,
  ) {}

  /**
   * @returns the profile; undefined if it stays owed. What was learnt about the pair and the consent is in the row
   * then.
   * @throws {SealError} if it is owed, and the tokens were sealed with a key that is not known here.
   */
  async of(grant: WechatGrant): Promise<WechatUserInfo | undefined> {
    return this.openStored(grant) ?? this.fetchOwed(grant);
  }

  /** @returns a profile of the caller's own, to change as it likes. */
  private openStored(grant: WechatGrant): WechatUserInfo | undefined {
    const { appId, openid, sealedUserInfo } = grant;
    if (sealedUserInfo === null) return undefined;
    const row = `${appId}/${openid}`;
    let userInfo = this.opened.get(row, sealedUserInfo);
    if (!userInfo) {
      userInfo = this.open(grant);
      if (userInfo) this.opened.set(row, sealedUserInfo, userInfo);
    }
    return userInfo && { ...userInfo, privilege: [...userInfo.privilege] };
  }

  /** A profile that nobody can open any more is as good as owed: it is fetched, and sealed anew. */
  private open(grant: WechatGrant): WechatUserInfo | undefined {
    try {
      return this.grants.openUserInfo(grant);
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      this.logger.error(
        `The profile of ${openidForLogs(grant.openid)} cannot be opened and is owed: ${error.message}`,
      );
      return undefined;
    }
  }

  /** Asks WeChat, once for all who ask at the same time. */
  private fetchOwed(grant: WechatGrant): Promise<WechatUserInfo | undefined> {
    const key = `${grant.appId}/${grant.openid}/${String(grant.pairVersion)}`;
    const running = this.inFlight.get(key);
    if (running) return running;
    if (!this.mayAsk(grant, key)) return Promise.resolve(undefined);
    const started = this.ask(grant, key).finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, started);
    return started;
  }

  private mayAsk(grant: WechatGrant, key: string): boolean {
    const now = this.clock.now();
    return (
      mayTryPair(grant, now) &&
      grant.pairAbility !== 'unable' &&
      now < grant.accessTokenExpiresAt &&
      now.getTime() >= (this.pausedUntil.get(key) ?? 0)
    );
  }

  private async ask(grant: WechatGrant, key: string): Promise<WechatUserInfo | undefined> {
    const { accessToken } = this.grants.openTokens(grant);
    try {
      const userInfo = await this.client.fetchUserInfo({ accessToken, openid: grant.openid });
      await this.grants.saveUserInfo(grant, userInfo, this.clock.now());
      this.pausedUntil.delete(key);
      return userInfo;
    } catch (error) {
      if (!(error instanceof WechatResponseError)) throw error;
      this.pause(key);
      this.logger.warn(`The profile of ${openidForLogs(grant.openid)} stays owed: ${error.message}`);
      if (isProfileRefused(error, grant.pairScope)) await this.noteRefusal(grant);
      // The token is dead before its time: a password was changed, or another sign-in has replaced the pair.
      else if (error.class === 'token') await this.noteRejection(grant);
      return undefined;
    }
  }

  private async noteRejection(grant: WechatGrant): Promise<void> {
    if (!(await this.grants.markRejected(grant, this.clock.now()))) return;
    const { appId, openid } = grant;
    this.events.emit('wechat.consent-required', { appId, openid, reason: 'rejected' });
  }

  private async noteRefusal(grant: WechatGrant): Promise<void> {
    const { appId, openid } = grant;
    if (await this.grants.markUnable(grant, this.clock.now())) {
      this.events.emit('wechat.consent-required', { appId, openid, reason: 'refused' });
    }
  }

  private pause(key: string): void {
    this.pausedUntil.set(key, this.clock.now().getTime() + PAUSE_MS);
    const [oldest] = this.pausedUntil.keys();
    if (this.pausedUntil.size > MAX_PAUSES && oldest !== undefined) this.pausedUntil.delete(oldest);
  }
}

import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { openidForLogs } from '../common/digest.js';
import { WechatEvents } from '../common/events.js';
import {
  type ResolvedWechatAuthOptions,
  WECHAT_AUTH_OPTIONS,
  type WechatAccount,
} from '../common/options.js';
import { WechatRandomness } from '../common/randomness.js';
import type { WechatSession } from '../common/session.js';
import type { WechatScope, WechatUser, WechatUserInfo } from '../common/wechat-user.js';
import { GrantRepository } from '../grants/grant.repository.js';
import type { WechatGrant } from '../grants/wechat-grant.entity.js';
import { WechatClient, type WechatTokenResponse } from '../protocol/wechat.client.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';
import { isProfileRefused } from '../protocol/profile.refusal.js';
import { WechatAuthorizationError } from './wechat-authorization.error.js';

/** A snapshot page's virtual user is known for this long, in milliseconds. */
const SNAPSHOT_SESSION_MS = 10 * 60 * 1000;

/** Turns the tokens of an exchange into a saved grant and a session. */
@Injectable()
export class SignInCompletion {
  private readonly logger = new Logger(SignInCompletion.name);

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatRandomness) private readonly randomness: WechatRandomness,
    @Inject(GrantRepository) private readonly grants: GrantRepository,
    @Inject(WechatClient) private readonly client: WechatClient,
    @Inject(WechatEvents) private readonly events: WechatEvents,
  ) {}

  /**
   * @param askedScope what WeChat was asked for.
   * @param requestedAt instant before the exchange was sent.
   * @param request the platform's request, for `onSignIn`.
   * @throws {WechatAuthorizationError} `consent_ended`, `sign_in_rejected`, `invalid_state`
   */
  async complete(
    account: WechatAccount,
    askedScope: WechatScope,
    tokens: WechatTokenResponse,
    requestedAt: Date,
    request: unknown,
  ): Promise<WechatSession> {
    // Nobody behind the ids of a snapshot page exists: they are neither stored nor shown to the host's hook.
    if (tokens.isSnapshotUser) return this.session(account, tokens, this.clock.now(), SNAPSHOT_SESSION_MS);
    const scope = grantedScope(tokens, askedScope);
    const authorization = {
      appId: account.appId,
      openid: tokens.openid,
      unionid: tokens.unionid,
      scope,
      accessToken: tokens.accessToken,
      refreshToken: tokens.refreshToken,
      requestedAt,
      accessTokenLifetimeMs: tokens.expiresInMs,
      refreshTokenLifetimeMs: account.refreshTokenLifetimeMs,
    };
    const grant = await this.grants.saveAuthorization(authorization, {
      answeredAt: this.clock.now(),
      isAlive: () => this.isAlive(tokens),
    });
    const userInfo = scope === 'userinfo' ? await this.readUserInfo(grant) : undefined;
    const unionid = grant.unionid ?? userInfo?.unionid;
    await this.callHook(
      {
        appId: grant.appId,
        openid: grant.openid,
        ...(unionid !== undefined && { unionid }),
        scope,
        ...(userInfo && { userInfo }),
        snapshot: false,
      },
      grant.signedInAt === null,
      request,
    );
    // The session's time, too: it comes before that of a `forget` which deletes the grant from here on.
    const signedInAt = this.clock.now();
    if (!(await this.grants.markSignedIn(grant, signedInAt))) {
      throw new WechatAuthorizationError('invalid_state', 'The user was forgotten during the sign-in.');
    }
    this.events.emit('wechat.signed-in', {
      appId: grant.appId,
      openid: grant.openid,
      ...(unionid !== undefined && { unionid }),
      scope,
      isNewGrant: grant.signedInAt === null,
    });
    return this.session(account, { ...tokens, unionid }, signedInAt, this.options.sessionMaxAgeMs);
  }

  /** Whether WeChat keeps the pair, and not that of another sign-in of the user; undefined if it does not say. */
  private async isAlive({ accessToken, openid }: WechatTokenResponse): Promise<boolean | undefined> {
    try {
      return await this.client.verifyAccessToken({ accessToken, openid });
    } catch (error) {
      if (!(error instanceof WechatResponseError)) throw error;
      this.logger.warn(
        `Whether the newest tokens of ${openidForLogs(openid)} are alive is not known: ${error.message}`,
      );
      return undefined;
    }
  }

  /** A profile that WeChat fails to give just now is owed, and no reason to send the user away. */
  private async readUserInfo(grant: WechatGrant): Promise<WechatUserInfo | undefined> {
    const { openid } = grant;
    // Not always the pair of this sign-in: another one at the same time may have ended that.
    const { accessToken } = this.grants.openTokens(grant);
    let userInfo: WechatUserInfo;
    try {
      userInfo = await this.client.fetchUserInfo({ accessToken, openid });
    } catch (error) {
      if (isProfileRefused(error, grant.pairScope)) {
        if (await this.grants.markUnable(grant, this.clock.now())) {
          const { appId } = grant;
          this.events.emit('wechat.consent-required', { appId, openid, reason: 'refused' });
        }
        throw new WechatAuthorizationError(
          'consent_ended',
          'WeChat refused the profile right after the consent.',
          { cause: error },
        );
      }
      if (!(error instanceof WechatResponseError)) throw error;
      // Another sign-in of the user has ended this pair already: nobody is to be given its tokens.
      if (error.class === 'token') await this.grants.markRejected(grant, this.clock.now());
      this.logger.warn(
        `The profile of ${openidForLogs(openid)} is owed until the next userinfo request: ${error.message}`,
      );
      return undefined;
    }
    await this.grants.saveUserInfo(grant, userInfo, this.clock.now());
    return userInfo;
  }

  private async callHook(user: WechatUser, isNewGrant: boolean, request: unknown): Promise<void> {
    try {
      await this.options.onSignIn?.(user, { isNewGrant, request });
    } catch (cause) {
      throw new WechatAuthorizationError('sign_in_rejected', 'onSignIn did not accept the sign-in.', {
        cause,
      });
    }
  }

  private session(
    { appId }: WechatAccount,
    { openid, unionid, isSnapshotUser }: Pick<WechatTokenResponse, 'openid' | 'unionid' | 'isSnapshotUser'>,
    issuedAt: Date,
    lifetimeMs: number,
  ): WechatSession {
    return {
      id: this.randomness.bytes(16).toString('hex'),
      appId,
      openid,
      ...(unionid !== undefined && { unionid }),
      issuedAt,
      expiresAt: new Date(issuedAt.getTime() + lifetimeMs),
      snapshot: isSnapshotUser,
    };
  }
}

/**
 * The scope that was in fact granted. The authorization URL passes through the browser, so what comes back counts;
 * WeChat's newest documentation no longer lists the field, hence the fallback.
 */
function grantedScope({ scopes }: WechatTokenResponse, askedScope: WechatScope): WechatScope {
  if (scopes.length === 0) return askedScope;
  return scopes.includes('snsapi_userinfo') ? 'userinfo' : 'base';
}

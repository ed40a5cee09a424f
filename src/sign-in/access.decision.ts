import { Inject, Injectable, Logger } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { openidForLogs } from '../common/digest.js';
import { WechatConfigurationError } from '../common/errors.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { SealError } from '../common/sealer.js';
import { type WechatSession, type WechatSessionScope, WechatSessionStore } from '../common/session.js';
import type { WechatUser, WechatUserInfo } from '../common/wechat-user.js';
import { ConsentRepository } from '../grants/consent.repository.js';
import { GrantRepository } from '../grants/grant.repository.js';
import { isConsentLive, isPairAlive } from '../grants/grant.standing.js';
import type { WechatGrant } from '../grants/wechat-grant.entity.js';
import type { Answer, HttpExchange } from './http-exchange.js';
import { isFromOwnOrigin, isPageNavigation, isSafeMethod } from './page-navigation.js';
import { misdirectedPage, unavailablePage } from './pages/sign-in.pages.js';
import {
  crossOriginProblem,
  misdirectedProblem,
  snapshotProblem,
  unauthorizedProblem,
  unavailableProblem,
} from './problems.js';
import { Profiles } from './profiles.js';
import { PublicUrls } from './public-urls.js';
import { Reverification } from './reverification.js';
import { SessionValidity } from './session.validity.js';
import { type SignInRequest, SignInRequests } from './sign-in.request.js';
import { SignInStarter } from './sign-in.starter.js';
import type { WechatAuthRequirement } from './wechat-auth.requirement.js';

/** Either the handler runs, with this user, or the request is answered instead. */
export type AccessDecision = { user: WechatUser | undefined } | { answer: Answer };

/** A request for a route of the application that it has come to by one of the public URLs. */
interface Visit extends WechatSessionScope {
  exchange: HttpExchange;
  requirement: WechatAuthRequirement;
}

/** What is known of the user, and whether it is enough. */
interface Standing {
  user: WechatUser | undefined;
  isEnough: boolean;
  /** The grant of a user whose consent ends soon. */
  endingSoon?: WechatGrant;
}

const NOBODY: Standing = { user: undefined, isEnough: false };

/** Decides, on every request, whether what is known of the user is enough for the route. */
@Injectable()
export class AccessDecider {
  private readonly logger = new Logger(AccessDecider.name);

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatSessionStore) private readonly sessions: WechatSessionStore,
    @Inject(SessionValidity) private readonly validity: SessionValidity,
    @Inject(Reverification) private readonly reverification: Reverification,
    @Inject(GrantRepository) private readonly grants: GrantRepository,
    @Inject(ConsentRepository) private readonly consents: ConsentRepository,
    @Inject(Profiles) private readonly profiles: Profiles,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
    @Inject(SignInRequests) private readonly requests: SignInRequests,
    @Inject(SignInStarter) private readonly starter: SignInStarter,
  ) {}

  async decide(exchange: HttpExchange, requirement: WechatAuthRequirement): Promise<AccessDecision> {
    const appId = this.appIdOf(requirement);
    const publicUrl = this.publicUrls.of(exchange);
    if (!publicUrl) {
      if (requirement.optional) return { user: undefined };
      return { answer: isPageNavigation(exchange) ? misdirectedPage() : misdirectedProblem() };
    }
    if (!isSafeMethod(exchange) && !isFromOwnOrigin(exchange, this.publicUrls.ownOrigins)) {
      return { answer: crossOriginProblem() };
    }
    const visit: Visit = { exchange, requirement, appId, publicUrl };
    try {
      const session = this.sessions.read(exchange.request, visit);
      const user = isPromise(session) ? undefined : this.userAtOnce(visit, session);
      return user ? { user } : await this.decideInTime(visit, session);
    } catch (error) {
      return this.unavailable(visit, error);
    }
  }

  private async decideInTime(
    visit: Visit,
    reading: WechatSession | undefined | Promise<WechatSession | undefined>,
  ): Promise<AccessDecision> {
    try {
      return await this.decideFor(visit, await reading);
    } catch (error) {
      return this.unavailable(visit, error);
    }
  }

  private async decideFor(visit: Visit, session: WechatSession | undefined): Promise<AccessDecision> {
    const { exchange, requirement } = visit;
    const isValid = this.validity.isLive(session, exchange, visit);
    if (isValid && session.snapshot && !isSafeMethod(exchange)) return { answer: snapshotProblem() };
    const isNavigation = isPageNavigation(exchange);
    const standing = isValid ? await this.standing(visit, session, isNavigation) : NOBODY;
    const request = this.signInRequest(visit);
    if (standing.isEnough || requirement.optional) {
      const mayLeave = isValid && isNavigation && !requirement.optional;
      const answer = mayLeave ? await this.renewal(visit, session, standing, request) : undefined;
      return answer ? { answer } : { user: standing.user };
    }
    if (isNavigation) return { answer: await this.starter.start(exchange, request) };
    const { returnPath: _, renewal: __, ...anyPage } = request;
    return {
      answer: unauthorizedProblem(
        isValid ? 'consent_required' : 'sign_in_required',
        this.requests.url('sign-in', anyPage),
      ),
    };
  }

  /** @returns the user, where a session is enough by itself, and nothing but the handler is to be done. */
  private userAtOnce(visit: Visit, session: WechatSession | undefined): WechatUser | undefined {
    const user = this.userBySession(visit, session);
    return user && session && this.reverification.isDue(session, visit.exchange, visit) ? undefined : user;
  }

  /** @returns the user, where a session is enough by itself. */
  private userBySession(visit: Visit, session: WechatSession | undefined): WechatUser | undefined {
    const { exchange, requirement } = visit;
    if (!this.validity.isLive(session, exchange, visit)) return undefined;
    // The virtual user of a snapshot page has nothing more to show, and may change nothing.
    const isEnough = session.snapshot ? isSafeMethod(exchange) : requirement.scope === 'base';
    return isEnough ? userOf(session) : undefined;
  }

  private async standing(visit: Visit, session: WechatSession, isNavigation: boolean): Promise<Standing> {
    const user = this.userBySession(visit, session);
    if (user) return { user, isEnough: true };
    try {
      return await this.userinfoStanding(userOf(session), isNavigation);
    } catch (error) {
      if (!visit.requirement.optional) throw error;
      this.logFault('An optional route goes on without the profile', error);
      return { user: userOf(session), isEnough: false };
    }
  }

  private async userinfoStanding(user: WechatUser, isNavigation: boolean): Promise<Standing> {
    let grant = await this.grants.find(user);
    if (!grant || !isConsentLive(grant, this.clock.now())) return { user, isEnough: false };
    let userInfo: WechatUserInfo | undefined;
    try {
      userInfo = await this.profiles.of(grant);
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      this.logger.error(`The tokens of ${openidForLogs(grant.openid)} cannot be opened: ${error.message}`);
      // A page brings a new pair and a new profile silently; a script does without the profile.
      return { user: { ...user, scope: 'userinfo' }, isEnough: !isNavigation };
    }
    // An attempt to bring an owed profile may have taught us something about the pair and the consent.
    if (!userInfo) grant = (await this.grants.find(user)) ?? grant;
    if (!isConsentLive(grant, this.clock.now())) return { user, isEnough: false };
    const unionid = grant.unionid ?? user.unionid;
    return {
      user: {
        ...user,
        ...(unionid !== undefined && { unionid }),
        scope: 'userinfo',
        ...(userInfo && { userInfo }),
      },
      isEnough: !isNavigation || this.isPairGood(grant, userInfo),
      ...(grant.consentNotice === 'due' && { endingSoon: grant }),
    };
  }

  /**
   * Asked for on a page only, since a page can mend the pair silently. A call of a script cannot, and the stored
   * profile serves it.
   */
  private isPairGood(grant: WechatGrant, userInfo: WechatUserInfo | undefined): boolean {
    const now = this.clock.now();
    const isGood = isPairAlive(grant, now) && grant.pairAbility !== 'unable';
    // Without a profile, an access token that has ended cannot bring one.
    return isGood && (userInfo !== undefined || now < grant.accessTokenExpiresAt);
  }

  /**
   * @returns the way to WeChat of a user who is let in all the same: before the consent ends, or because the session has
   * been there for long.
   */
  private async renewal(
    { exchange, ...scope }: Visit,
    session: WechatSession,
    { endingSoon }: Standing,
    request: SignInRequest,
  ): Promise<Answer | undefined> {
    // Nobody is sent away who would come out elsewhere.
    if (!this.publicUrls.canReturnTo(exchange, scope.publicUrl)) return undefined;
    if (this.starter.leadsToWechat(exchange) && (await this.mayAskAgain(endingSoon))) {
      const answer = await this.starter.start(exchange, { ...request, renewal: true });
      this.reverification.noteAttempt(exchange, scope);
      return answer;
    }
    const isDue = this.reverification.isDue(session, exchange, scope);
    return isDue ? this.reverification.start(session, exchange, request) : undefined;
  }

  /** Once in 24 hours, on whichever instance; a script is served until the end. */
  private async mayAskAgain(grant: WechatGrant | undefined): Promise<boolean> {
    return grant !== undefined && this.consents.takeAsk(grant, this.clock.now());
  }

  private signInRequest({ exchange, requirement, appId, publicUrl }: Visit): SignInRequest {
    return {
      appId,
      publicUrl,
      goal: requirement.scope,
      prompt: requirement.prompt ?? this.options.prompt,
      returnPath: this.publicUrls.returnPathOf(exchange, publicUrl),
      asked: false,
      renewal: false,
    };
  }

  private unavailable({ exchange, publicUrl }: Visit, error: unknown): AccessDecision {
    this.logFault('A request could not be decided', error);
    if (!isPageNavigation(exchange)) return { answer: unavailableProblem() };
    const retryUrl = publicUrl.origin + this.publicUrls.returnPathOf(exchange, publicUrl);
    return { answer: unavailablePage(retryUrl) };
  }

  private logFault(what: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.logger.error(`${what}: ${text}`, error instanceof Error ? error.stack : undefined);
  }

  private appIdOf({ account }: WechatAuthRequirement): string {
    const { accounts } = this.options;
    const appId = account ?? accounts[0].appId;
    if (accounts.some((known) => known.appId === appId)) return appId;
    throw new WechatConfigurationError([
      {
        problem: `@WechatAuth names the account ${appId}, which is not configured.`,
        cure: `Add it to the option accounts, or correct the name.`,
      },
    ]);
  }
}

/** Also one of a library's own, as a store of the host's may return. */
function isPromise<T extends object>(
  value: T | undefined | null | Promise<T | undefined>,
): value is Promise<T | undefined> {
  // A store without types returns what its library has for nothing, and that is often null.
  return typeof value === 'object' && value !== null && 'then' in value;
}

function userOf({ appId, openid, unionid, snapshot }: WechatSession): WechatUser {
  return { appId, openid, ...(unionid !== undefined && { unionid }), scope: 'base', snapshot };
}

import type { Provider } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { WechatClock } from './common/clock.js';
import { WechatEvents } from './common/events.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from './common/options.js';
import { SystemRandomness, WechatRandomness } from './common/randomness.js';
import { Sealer } from './common/sealer.js';
import { WechatSessionStore } from './common/session.js';
import { AccountStateRepository } from './grants/account-state.repository.js';
import { ConsentRepository } from './grants/consent.repository.js';
import { WECHAT_DATA_SOURCE } from './grants/data-source.token.js';
import { DatabaseClock } from './grants/database-clock.js';
import { ErasureRepository } from './grants/erasure.repository.js';
import { ExpiredRepository } from './grants/expired.repository.js';
import { GrantRepository } from './grants/grant.repository.js';
import { LeaseRepository } from './grants/lease.repository.js';
import { QuotaRepository } from './grants/quota.repository.js';
import { RefreshRepository } from './grants/refresh.repository.js';
import { RevocationRepository } from './grants/revocation.repository.js';
import { Revocations } from './grants/revocations.js';
import { SignInRepository } from './grants/sign-in.repository.js';
import { OperationsReader } from './observability/operations.reader.js';
import { WechatHealthIndicator } from './observability/wechat.health-indicator.js';
import { WechatMetrics } from './observability/wechat.metrics.js';
import { WechatClient } from './protocol/wechat.client.js';
import { AccessTokens } from './refresh/access.tokens.js';
import { ConsentReviewer } from './refresh/consent.reviewer.js';
import { Housekeeping } from './refresh/housekeeping.js';
import { HousekeepingTimer } from './refresh/housekeeping.timer.js';
import { RefreshSender } from './refresh/refresh.sender.js';
import { RefreshSettlement } from './refresh/refresh.settlement.js';
import { RefreshTimer } from './refresh/refresh.timer.js';
import { Refresher } from './refresh/refresher.js';
import { UserInfos } from './refresh/user.infos.js';
import { AccessDecider } from './sign-in/access.decision.js';
import { Authorization } from './sign-in/authorization.js';
import { Browsers } from './sign-in/browser.js';
import { CallbackFailures } from './sign-in/callback.failures.js';
import { CallbackHandler } from './sign-in/callback.handler.js';
import { CookieSessionStore } from './sign-in/cookie-session.store.js';
import { ExchangeClaims } from './sign-in/exchange.claims.js';
import { HttpExchanges } from './sign-in/http-exchange.js';
import { Profiles } from './sign-in/profiles.js';
import { PublicUrls } from './sign-in/public-urls.js';
import { Reverification } from './sign-in/reverification.js';
import { SessionValidity } from './sign-in/session.validity.js';
import { SignInCompletion } from './sign-in/sign-in.completion.js';
import { SignInRequests } from './sign-in/sign-in.request.js';
import { SignInStarter } from './sign-in/sign-in.starter.js';
import { SignOut } from './sign-in/sign-out.js';
import { States } from './sign-in/state.js';
import { SignInTickets } from './sign-in/ticket.js';
import { WechatAuthExceptionFilter } from './sign-in/wechat-auth.exception.js';
import { StartCheck } from './start.check.js';
import { WechatAuthService } from './wechat-auth.service.js';

/** Everything that the module is made of, apart from what the host gives: its options and its data source. */
export const wechatAuthProviders: Provider[] = [
  { provide: WechatRandomness, useClass: SystemRandomness },
  {
    provide: WechatClock,
    inject: [WECHAT_DATA_SOURCE],
    useFactory: (db: DataSource) => new DatabaseClock(db),
  },
  {
    provide: Sealer,
    inject: [WECHAT_AUTH_OPTIONS, WechatRandomness],
    useFactory: ({ keys }: ResolvedWechatAuthOptions, randomness: WechatRandomness) =>
      new Sealer(keys, randomness),
  },
  {
    provide: WechatClient,
    inject: [WECHAT_AUTH_OPTIONS],
    useFactory: (options: ResolvedWechatAuthOptions) => new WechatClient(options),
  },
  {
    provide: StartCheck,
    inject: [WECHAT_DATA_SOURCE, ModulesContainer, ApplicationConfig, WECHAT_AUTH_OPTIONS],
    useFactory: (
      dataSource: DataSource,
      modules: ModulesContainer,
      application: ApplicationConfig,
      options: ResolvedWechatAuthOptions,
    ) => new StartCheck(dataSource, modules, application, options),
  },
  {
    provide: GrantRepository,
    inject: [WECHAT_DATA_SOURCE, Sealer, WECHAT_AUTH_OPTIONS],
    useFactory: (db: DataSource, sealer: Sealer, { times }: ResolvedWechatAuthOptions) =>
      new GrantRepository(db, sealer, times),
  },
  {
    provide: RefreshRepository,
    inject: [WECHAT_DATA_SOURCE, Sealer],
    useFactory: (db: DataSource, sealer: Sealer) => new RefreshRepository(db, sealer),
  },
  {
    provide: AccountStateRepository,
    inject: [WECHAT_DATA_SOURCE],
    useFactory: (db: DataSource) => new AccountStateRepository(db),
  },
  {
    provide: ConsentRepository,
    inject: [WECHAT_DATA_SOURCE, WECHAT_AUTH_OPTIONS],
    useFactory: (db: DataSource, { times }: ResolvedWechatAuthOptions) => new ConsentRepository(db, times),
  },
  {
    provide: QuotaRepository,
    inject: [WECHAT_DATA_SOURCE],
    useFactory: (db: DataSource) => new QuotaRepository(db),
  },
  {
    provide: SignInRepository,
    inject: [WECHAT_DATA_SOURCE],
    useFactory: (db: DataSource) => new SignInRepository(db),
  },
  {
    provide: RevocationRepository,
    inject: [WECHAT_DATA_SOURCE],
    useFactory: (db: DataSource) => new RevocationRepository(db),
  },
  {
    provide: ErasureRepository,
    inject: [WECHAT_DATA_SOURCE, RevocationRepository, WECHAT_AUTH_OPTIONS],
    useFactory: (
      db: DataSource,
      revocations: RevocationRepository,
      { sessionMaxAgeMs }: ResolvedWechatAuthOptions,
    ) => new ErasureRepository(db, revocations, sessionMaxAgeMs),
  },
  {
    provide: ExpiredRepository,
    inject: [WECHAT_DATA_SOURCE],
    useFactory: (db: DataSource) => new ExpiredRepository(db),
  },
  {
    provide: LeaseRepository,
    inject: [WECHAT_DATA_SOURCE],
    useFactory: (db: DataSource) => new LeaseRepository(db),
  },
  Revocations,
  CookieSessionStore,
  {
    provide: WechatSessionStore,
    inject: [WECHAT_AUTH_OPTIONS, CookieSessionStore],
    useFactory: ({ sessionStore }: ResolvedWechatAuthOptions, cookies: CookieSessionStore) =>
      sessionStore ?? cookies,
  },
  HttpExchanges,
  PublicUrls,
  SignInRequests,
  SignInTickets,
  States,
  Browsers,
  SessionValidity,
  Authorization,
  SignInStarter,
  Reverification,
  SignInCompletion,
  ExchangeClaims,
  CallbackFailures,
  CallbackHandler,
  SignOut,
  Profiles,
  AccessDecider,
  WechatEvents,
  ConsentReviewer,
  RefreshSender,
  RefreshSettlement,
  Refresher,
  RefreshTimer,
  AccessTokens,
  Housekeeping,
  HousekeepingTimer,
  UserInfos,
  OperationsReader,
  WechatMetrics,
  WechatHealthIndicator,
  // For routes that a global guard protects and no decorator marks.
  WechatAuthExceptionFilter,
  WechatAuthService,
];

export { wechatAuthMigrations } from '../migrations/index.js';
export { WechatClock } from './common/clock.js';
export { WechatConfigurationError, type WechatConfigurationProblem, WechatError } from './common/errors.js';
export type { OutsideWechat, WechatPrompt, WechatSignInContext, WechatSignInHook } from './common/options.js';
export type {
  WechatAuthEventName,
  WechatAuthEvents,
  WechatConsentEnd,
  WechatUserEvent,
} from './common/events.js';
export type { PublicUrl } from './common/public-url.js';
export { type WechatSession, type WechatSessionScope, WechatSessionStore } from './common/session.js';
export type { WechatScope, WechatUser, WechatUserInfo } from './common/wechat-user.js';
export { wechatAuthEntities } from './grants/entities.js';
export {
  type WechatHealth,
  WechatHealthIndicator,
  type WechatHealthLimits,
} from './observability/wechat.health-indicator.js';
export {
  WechatClient,
  type WechatClientOptions,
  type WechatTokenResponse,
} from './protocol/wechat.client.js';
export {
  type WechatEndpoint,
  WechatResponseError,
  type WechatResponseErrorCode,
} from './protocol/wechat-response.error.js';
export type { RefreshReport } from './refresh/refresher.js';
export type { WechatLanguage } from './refresh/user.infos.js';
export {
  type ConsentRequiredReason,
  WechatConsentRequiredError,
  WechatGrantNotFoundError,
  WechatRefreshError,
} from './refresh/wechat-grant.errors.js';
export {
  WechatAuthorizationError,
  type WechatAuthorizationErrorCode,
} from './sign-in/wechat-authorization.error.js';
export {
  CurrentWechatUser,
  WechatAuth,
  type WechatAuthRouteOptions,
  WechatPublic,
} from './sign-in/wechat-auth.decorator.js';
export { WechatAuthGuard, type WechatRequest } from './sign-in/wechat-auth.guard.js';
export { type WechatAuthAsyncOptions, WechatAuthModule } from './wechat-auth.module.js';
export type { WechatAccountOptions, WechatAuthOptions, WechatRefreshOptions } from './wechat-auth.options.js';
export { WechatAuthService, type WechatUserKey } from './wechat-auth.service.js';

import type { WechatPrompt } from '../common/options.js';
import type { WechatScope } from '../common/wechat-user.js';

/** Metadata key of {@link WechatAuthRequirement}. */
export const WECHAT_AUTH_REQUIREMENT = Symbol('nestjs-wechat-auth:requirement');
/** Metadata key of `@WechatPublic()`. */
export const WECHAT_AUTH_PUBLIC = Symbol('nestjs-wechat-auth:public');

/** What `@WechatAuth` says about a route. */
export interface WechatAuthRequirement {
  scope: WechatScope;
  account?: string;
  optional?: boolean;
  prompt?: WechatPrompt;
}

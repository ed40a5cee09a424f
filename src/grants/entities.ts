import { WechatAccountState } from './wechat-account-state.entity.js';
import { WechatGrant } from './wechat-grant.entity.js';
import { WechatLease } from './wechat-lease.entity.js';
import { WechatQuota } from './wechat-quota.entity.js';
import { WechatRevocation } from './wechat-revocation.entity.js';
import { WechatSignIn } from './wechat-sign-in.entity.js';

/** For the host's `TypeOrmModule.forRoot({ entities: [...wechatAuthEntities] })`, where it does not set `autoLoadEntities`. */
export const wechatAuthEntities = [
  WechatGrant,
  WechatSignIn,
  WechatAccountState,
  WechatQuota,
  WechatRevocation,
  WechatLease,
];

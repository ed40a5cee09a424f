/**
 * What a user is asked for: `base` (`snsapi_base`) is silent and gives the openid, `userinfo`
 * (`snsapi_userinfo`) needs the user's consent and gives nickname and avatar too.
 */
export type WechatScope = 'base' | 'userinfo';

/**
 * A user's profile, with the field names WeChat itself uses.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo
 */
export interface WechatUserInfo {
  openid: string;
  nickname: string;
  /** Address of the avatar; empty if the user has none. It stops working when the user changes the avatar. */
  headimgurl: string;
  /** Always 0 since 2021-10-20: WeChat no longer tells. */
  sex: number;
  /** Always empty since 2021-10-20, like `province`, `city` and `country`. */
  language: string;
  province: string;
  city: string;
  country: string;
  privilege: string[];
  /** Only if the account is bound to a WeChat open platform account. */
  unionid?: string;
}

/** Who is calling: what a handler gets from `@CurrentWechatUser()`. */
export interface WechatUser {
  /** The WeChat account (`wx...`) the user signed in to. */
  appId: string;
  /** Identifies the user within `appId`. The identity of a user is the pair (`appId`, `openid`). */
  openid: string;
  /** Identifies the user across the accounts of one open platform account. Often absent. */
  unionid?: string;
  /** The scope that was met for this request. */
  scope: WechatScope;
  /** The stored profile. Absent for `base`, and while a profile is owed because WeChat failed to give it. */
  userInfo?: WechatUserInfo;
  /** True on a WeChat snapshot page (快照页): the user is a virtual one; store and link nothing. */
  snapshot: boolean;
}

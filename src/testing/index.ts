export type { SessionCookie } from './session.cookies.js';
export type { SignInLifetime, SignInWechatUserOptions } from './sign-in.options.js';
export { type SignedInWechatUser, signInWechatUser } from './wechat-user.sign-in.js';

import type { INestApplication } from '@nestjs/common';
import type { WechatSession } from '../common/session.js';
import type { WechatUser } from '../common/wechat-user.js';
import { GrantRepository } from '../grants/grant.repository.js';
import { WechatAuthorizationError } from '../sign-in/wechat-authorization.error.js';
import { saveGrant } from './grant.history.js';
import { ModuleParts } from './module.parts.js';
import { cookieHeader, type SessionCookie } from './session.cookies.js';
import { issueSession } from './session.issue.js';
import { type ResolvedSignIn, resolveSignIn, type SignInWechatUserOptions } from './sign-in.options.js';

/** What a test needs to send requests as this user. */
export interface SignedInWechatUser {
  /** The value of a `Cookie` header: for supertest, `app.inject()`, `fetch`. */
  cookie: string;
  /** The same for a browser that a driver steers. */
  cookies: SessionCookie[];
  /** As `onSignIn` gets it: a `userinfo` sign-in carries the profile, a `base` one does not. */
  user: WechatUser;
}

/**
 * Signs a user in without WeChat: writes the grant, calls the host's `onSignIn`, and issues a session, all through
 * the module's own parts. What is stored is what a real sign-in stores, but for the tokens, which WeChat does not
 * know. A second call with the same `openid` is that user's next sign-in.
 *
 * @param app an initialised application that imports `WechatAuthModule`.
 * @throws {WechatError} `invalid_argument`, naming what is wrong with the application or an option, and the cure;
 * `session_not_written` if a session store of the host's brings no cookie.
 * @throws {WechatAuthorizationError} `sign_in_rejected` if `onSignIn` throws; see `cause`. The grant is kept.
 *
 * @example
 * const { cookie } = await signInWechatUser(app, { userInfo: { nickname: '小满' } });
 * await request(app.getHttpServer()).get('/me').set('Cookie', cookie).expect(200);
 */
export async function signInWechatUser(
  app: INestApplication,
  options: SignInWechatUserOptions = {},
): Promise<SignedInWechatUser> {
  const module = new ModuleParts(app);
  const now = module.clock.now();
  const signIn = resolveSignIn(options, module, now);
  const user = await complete(module, signIn, now, async (signedIn, isNewGrant) => {
    const { callOnSignIn = true, request } = options;
    if (callOnSignIn) await module.options.onSignIn?.(signedIn, { isNewGrant, request });
  });
  const scope = { appId: user.appId, publicUrl: signIn.publicUrl };
  const id = module.randomness.bytes(16).toString('hex');
  const cookies = await issueSession(module, sessionOf(user, signIn, id), scope);
  return { cookie: cookieHeader(cookies), cookies, user };
}

async function complete(
  module: ModuleParts,
  signIn: ResolvedSignIn,
  now: Date,
  callHook: (user: WechatUser, isNewGrant: boolean) => Promise<void>,
): Promise<WechatUser> {
  // Nobody behind the ids of a snapshot page exists: they are neither stored nor shown to the hook.
  if (signIn.snapshot) return userOf(signIn, signIn.unionid);
  const grant = await saveGrant(module, signIn, now);
  const user = userOf(signIn, grant.unionid ?? undefined);
  try {
    await callHook(user, grant.signedInAt === null);
  } catch (cause) {
    throw new WechatAuthorizationError('sign_in_rejected', 'onSignIn did not accept the sign-in.', { cause });
  }
  await module.get(GrantRepository).markSignedIn(grant, now);
  return user;
}

function userOf(
  { account, openid, scope, userInfo, snapshot }: ResolvedSignIn,
  unionid: string | undefined,
): WechatUser {
  return {
    appId: account.appId,
    openid,
    ...(unionid !== undefined && { unionid }),
    scope: snapshot ? 'base' : scope,
    ...(scope === 'userinfo' && userInfo && { userInfo }),
    snapshot,
  };
}

function sessionOf(
  { appId, openid, unionid, snapshot }: WechatUser,
  { session }: ResolvedSignIn,
  id: string,
): WechatSession {
  return {
    id,
    appId,
    openid,
    ...(unionid !== undefined && { unionid }),
    issuedAt: session.startsAt,
    expiresAt: session.expiresAt,
    snapshot,
  };
}

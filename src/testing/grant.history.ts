import type { WechatRandomness } from '../common/randomness.js';
import { type GrantedAuthorization, GrantRepository, type TokenPair } from '../grants/grant.repository.js';
import type { WechatGrant } from '../grants/wechat-grant.entity.js';
import type { ModuleParts } from './module.parts.js';
import type { ResolvedSignIn } from './sign-in.options.js';

/** WeChat's own figure, in milliseconds. */
const ACCESS_TOKEN_LIFETIME_MS = 7200 * 1000;

/**
 * Lets happen, through the module's own repository, what leads to such a grant: a consent if there is one, and then a
 * silent sign-in if that was last.
 */
export async function saveGrant(
  module: ModuleParts,
  { account, openid, unionid, scope, consent, userInfo }: ResolvedSignIn,
  now: Date,
): Promise<WechatGrant> {
  const { appId, refreshTokenLifetimeMs } = account;
  const grants = module.get(GrantRepository);
  const authorize = (
    its: Pick<GrantedAuthorization, 'scope' | 'requestedAt' | 'accessTokenLifetimeMs'>,
  ): Promise<WechatGrant> =>
    grants.saveAuthorization({
      appId,
      openid,
      unionid,
      ...newPair(module.randomness),
      refreshTokenLifetimeMs,
      ...its,
    });

  if (consent) {
    const consentedAt = consent.startsAt;
    // However long ago that was, the access token has been refreshed since, for as long as that goes.
    const lastRefreshedAt = Math.min(now.getTime(), consentedAt.getTime() + refreshTokenLifetimeMs);
    const grant = await authorize({
      scope: 'userinfo',
      requestedAt: consentedAt,
      accessTokenLifetimeMs: lastRefreshedAt - consentedAt.getTime() + ACCESS_TOKEN_LIFETIME_MS,
    });
    if (userInfo) await grants.saveUserInfo(grant, userInfo, now);
    if (scope === 'userinfo') return grant;
  }
  return authorize({ scope: 'base', requestedAt: now, accessTokenLifetimeMs: ACCESS_TOKEN_LIFETIME_MS });
}

/** Tokens of no WeChat; their names say so to whoever finds them in a request. */
function newPair(randomness: WechatRandomness): TokenPair {
  const id = randomness.bytes(16).toString('hex');
  return { accessToken: `TEST_ACCESS_TOKEN_${id}`, refreshToken: `TEST_REFRESH_TOKEN_${id}` };
}

import { fromNumericDate, toNumericDate } from '../common/numeric-date.js';
import type { WechatSession } from '../common/session.js';

/**
 * The session as JWT claims.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1
 */
export function sessionClaims(session: WechatSession): object {
  return {
    jti: session.id,
    iss: session.appId,
    sub: session.openid,
    ...(session.unionid !== undefined && { unionid: session.unionid }),
    iat: toNumericDate(session.issuedAt),
    exp: toNumericDate(session.expiresAt),
    ...(session.snapshot && { snapshot: true }),
  };
}

/**
 * The inverse of {@link sessionClaims}; the claims come out of a seal, so they are as we wrote them. Frozen, since
 * every request of the session gets the same one.
 */
export function parseSession(claims: Record<string, unknown>): Readonly<WechatSession> {
  return Object.freeze({
    id: claims['jti'] as string,
    appId: claims['iss'] as string,
    openid: claims['sub'] as string,
    ...(claims['unionid'] !== undefined && { unionid: claims['unionid'] as string }),
    issuedAt: fromNumericDate(claims['iat']),
    expiresAt: fromNumericDate(claims['exp']),
    snapshot: claims['snapshot'] === true,
  });
}

import {
  AuthorizePageError,
  readAuthorizationRequest,
  type AuthorizationRequest,
} from './authorize.checks.js';
import { closingPage, consentPage, errorPage } from './authorize.pages.js';
import { currentUser } from './browser.user.js';
import type { WechatEmulatorUser } from './emulator.types.js';
import { issueCode, issueSnapshotCode } from './grants.js';
import { redirectResponse, type EmulatorRequest, type EmulatorResponse } from './http.messages.js';
import type { WechatPlatform } from './platform.js';
import { createConsentUuid } from './tokens.js';

/** Which of WeChat's reasons for a refusal it is; 101 is the one seen in public. */
const REFUSAL_REASON = '101';

/**
 * `GET /connect/oauth2/authorize`: silent for `snsapi_base` and for a user who has consented within 30 days, else
 * the consent page. Following the account alone makes nothing silent: that holds for pages opened from the account's
 * chat or menu, which an emulator does not have.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/developers/dev/auth/h5.md
 */
export function answerAuthorize(platform: WechatPlatform, request: EmulatorRequest): EmulatorResponse {
  try {
    const authorization = readAuthorizationRequest(platform, request);
    const user = currentUser(platform, request);
    const { deregistered } = platform.userState(user.openid);
    if (deregistered) {
      throw new AuthorizePageError(
        undefined,
        '用户已经注销',
        'The signed-in user has closed the WeChat account.',
      );
    }
    return authorize(platform, request, authorization, user);
  } catch (error) {
    if (error instanceof AuthorizePageError) {
      return errorPage(error);
    }
    throw error;
  }
}

function authorize(
  platform: WechatPlatform,
  request: EmulatorRequest,
  { app, redirectUri, scope, state, forcePopup }: AuthorizationRequest,
  user: WechatEmulatorUser,
): EmulatorResponse {
  const isSilent =
    scope === 'snsapi_base' || (!forcePopup && platform.hasLiveConsent(app.appId, user.openid));
  if (isSilent) {
    const code = issueCode(platform, app.appId, user.openid, scope);
    return redirectBack(redirectUri, { code, state });
  }
  if (platform.userState(user.openid).snapshot && !forcePopup) {
    const code = issueSnapshotCode(platform, app.appId, user.openid);
    return redirectBack(redirectUri, { code, state });
  }
  const uuid = platform.draw(createConsentUuid);
  platform.ledger.pending.set(uuid, {
    uuid,
    appId: app.appId,
    userId: user.openid,
    redirectUri,
    state,
    shownAtMs: platform.nowMs(),
  });
  return consentPage({ app, user, users: platform.users, uuid, rawQuery: request.rawQuery });
}

/** `/connect/oauth2/authorize_reply`: what the two buttons of the consent page send. A page is answered once. */
export function answerAuthorizeReply(platform: WechatPlatform, request: EmulatorRequest): EmulatorResponse {
  const read = (name: string): string | null => request.form.get(name) ?? request.query.get(name);
  const uuid = read('uuid') ?? '';
  const allow = read('allow');
  const pending = platform.ledger.pending.get(uuid);
  if (!pending || (allow !== '1' && allow !== '0')) {
    return errorPage(
      new AuthorizePageError(
        undefined,
        '该链接无法访问',
        'This consent page has been answered, or never was.',
      ),
    );
  }
  platform.ledger.pending.delete(uuid);
  const { appId, userId, redirectUri, state } = pending;
  if (allow === '1') {
    return redirectBack(redirectUri, { code: issueCode(platform, appId, userId, 'snsapi_userinfo'), state });
  }
  switch (platform.settings.refusal) {
    case 'authdeny':
      return redirectBack(redirectUri, { state, code: 'authdeny', reason: REFUSAL_REASON });
    case 'state-only':
      return redirectBack(redirectUri, { state });
    case 'page':
      return closingPage();
  }
}

/** The parameters go before the fragment, behind the redirect URI's own query. */
function redirectBack(redirectUri: string, parameters: Readonly<Record<string, string>>): EmulatorResponse {
  const [, base = '', fragment = ''] = /^([^#]*)(.*)$/s.exec(redirectUri) ?? [];
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return redirectResponse(`${base}${base.includes('?') ? '&' : '?'}${pairs.join('&')}${fragment}`);
}

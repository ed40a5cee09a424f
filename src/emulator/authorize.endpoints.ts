import {
  AuthorizePageError,
  pageError,
  readAuthorizationRequest,
  readQrConnectRequest,
  type AuthorizationRequest,
} from './authorize.checks.js';
import { callbackResponse } from './authorize.callback.js';
import { closingPage, consentPage, errorPage, qrCodePage } from './authorize.pages.js';
import { currentUser } from './browser.user.js';
import type { PendingConsent } from './emulator.state.js';
import { issueCode, issueSnapshotCode } from './grants.js';
import type { EmulatorRequest, EmulatorResponse } from './http.messages.js';
import { createConsentUuid } from './identifiers.js';
import type { Person } from './people.js';
import type { WechatPlatform } from './platform.js';

/** Which of WeChat's reasons for a refusal it is; 101 is the one seen in public. */
const REFUSAL_REASON = '101';

/**
 * `GET /connect/oauth2/authorize`: silent for `snsapi_base`, for a user who has consented recently, and for a follower
 * who opened the page from the account's chat or menu; a snapshot page where WeChat would show one; else the consent
 * page.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/developers/dev/auth/h5.md
 */
export function answerAuthorize(platform: WechatPlatform, request: EmulatorRequest): EmulatorResponse {
  return orErrorPage(() => {
    const authorization = readAuthorizationRequest(platform, request);
    const person = signedInPerson(platform, request);
    if (authorization.app.kind === 'sandbox' && !person.follows) {
      throw pageError(10006);
    }
    if (isSilent(platform, authorization, person)) {
      const draw = () => issueCode(platform, authorization, person, authorization.scope);
      return callbackResponse(platform, authorization, draw);
    }
    if (opensAsSnapshot(platform, request, authorization, person)) {
      platform.snapshots.set(person.openid, request.rawQuery);
      const draw = () => issueSnapshotCode(platform, authorization, person);
      return callbackResponse(platform, authorization, draw);
    }
    const { app } = authorization;
    const { uuid } = addPending(platform, authorization, person);
    return consentPage({ app, user: person, users: platform.people.all, uuid, rawQuery: request.rawQuery });
  });
}

/**
 * `GET /connect/qrconnect`: the page with a QR code that a website application shows on a PC.
 *
 * @see https://developers.weixin.qq.com/doc/oplatform/Website_App/WeChat_Login/Wechat_Login
 */
export function answerQrConnect(platform: WechatPlatform, request: EmulatorRequest): EmulatorResponse {
  return orErrorPage(() => {
    const authorization = readQrConnectRequest(platform, request);
    const person = signedInPerson(platform, request);
    const { uuid } = addPending(platform, authorization, person);
    return qrCodePage({ app: authorization.app, user: person, uuid });
  });
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
  platform.snapshots.delete(pending.userId);
  return allow === '1' ? allowed(platform, pending) : refused(platform, pending);
}

function allowed(platform: WechatPlatform, pending: PendingConsent): EmulatorResponse {
  const person = platform.people.get(pending.userId);
  return callbackResponse(platform, pending, () => issueCode(platform, pending, person, pending.scope));
}

function refused(platform: WechatPlatform, pending: PendingConsent): EmulatorResponse {
  const { refusal } = platform.settings;
  // A QR code page stays as it is, or by older documents comes back with the state alone.
  if (refusal === 'page' || (pending.scope === 'snsapi_login' && refusal !== 'state-only')) {
    return closingPage();
  }
  const denial: Record<string, string> =
    refusal === 'authdeny' ? { code: 'authdeny', reason: REFUSAL_REASON } : {};
  return callbackResponse(platform, pending, () => denial);
}

/** Following the account is not enough: the page has to be opened from its chat or menu, and then nothing asks. */
function isSilent(
  platform: WechatPlatform,
  { appId, scope, forcePopup }: AuthorizationRequest,
  person: Person,
): boolean {
  if (scope === 'snsapi_base' || (person.follows && person.state.opensFromChat)) return true;
  return !forcePopup && platform.hasLiveConsent(platform.subjectOf(appId, person));
}

/** `forcePopup=true` stands for the button 使用完整服务, which leads from a snapshot page to the consent. */
function opensAsSnapshot(
  { settings }: WechatPlatform,
  request: EmulatorRequest,
  { forcePopup, forceSnapshot }: AuthorizationRequest,
  person: Person,
): boolean {
  if (forcePopup) return false;
  return (
    forceSnapshot || person.state.snapshot || (settings.snapshotWithoutGesture && !request.hasUserGesture)
  );
}

function signedInPerson(platform: WechatPlatform, request: EmulatorRequest): Person {
  const person = currentUser(platform, request);
  if (person.state.deregistered) {
    throw new AuthorizePageError(
      undefined,
      '用户已经注销',
      'The signed-in user has closed the WeChat account.',
    );
  }
  return person;
}

function addPending(
  platform: WechatPlatform,
  { appId, componentAppId, scope, redirectUri, state, once }: AuthorizationRequest,
  { openid }: Person,
): PendingConsent {
  const pending: PendingConsent = {
    uuid: platform.draw(createConsentUuid),
    appId,
    ...(componentAppId === undefined ? {} : { componentAppId }),
    userId: openid,
    scope,
    redirectUri,
    state,
    once,
    shownAtMs: platform.nowMs(),
  };
  platform.ledger.pending.set(pending.uuid, pending);
  return pending;
}

function orErrorPage(answer: () => EmulatorResponse): EmulatorResponse {
  try {
    return answer();
  } catch (error) {
    if (error instanceof AuthorizePageError) {
      return errorPage(error);
    }
    throw error;
  }
}

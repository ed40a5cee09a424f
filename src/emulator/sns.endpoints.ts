import type { WechatEmulatorEndpoint, WechatEmulatorTokens } from './emulator.types.js';
import {
  ACCESS_TOKEN_LIFETIME_S,
  accumulatedScope,
  type AppIdentity,
  type Grant,
  readProfile,
  redeemCode,
  refreshPair,
  verifyAccessToken,
} from './grants.js';
import type { EmulatorRequest, EmulatorResponse } from './http.messages.js';
import { createRequestId } from './identifiers.js';
import type { WechatPlatform } from './platform.js';
import type { EmulatorApp } from './settings.js';
import { SNS_ERROR_MESSAGES, SnsError } from './sns.errors.js';

export type SnsEndpoint = Exclude<WechatEmulatorEndpoint, 'authorize'>;

/** One of the calls of `api.weixin.qq.com`. */
export interface SnsCall {
  /** Which faults it meets. */
  readonly endpoint: SnsEndpoint;
  readonly answer: (platform: WechatPlatform, request: EmulatorRequest) => SnsBody;
}

/** What is answered: to be written as JSON, or written already. */
type SnsBody = object | string | Uint8Array;

/** By their paths. */
export const SNS_CALLS: Readonly<Record<string, SnsCall>> = {
  '/sns/oauth2/access_token': { endpoint: 'token', answer: exchangeCode },
  '/sns/oauth2/refresh_token': { endpoint: 'refresh', answer: refreshAccessToken },
  '/sns/oauth2/component/access_token': { endpoint: 'token', answer: exchangeCodeForComponent },
  '/sns/oauth2/component/refresh_token': { endpoint: 'refresh', answer: refreshForComponent },
  '/sns/userinfo': { endpoint: 'userinfo', answer: tellUserInfo },
  '/sns/auth': { endpoint: 'auth', answer: tellWhetherAlive },
};

/** Errors come on HTTP 200 like everything else. */
export function answerSnsCall(
  platform: WechatPlatform,
  { answer }: SnsCall,
  request: EmulatorRequest,
): EmulatorResponse {
  try {
    return snsResponse(answer(platform, request));
  } catch (error) {
    if (error instanceof SnsError) {
      return snsErrorResponse(platform, error.errcode);
    }
    throw error;
  }
}

/** `{"errcode":...,"errmsg":"..., rid: ..."}`; a given `errmsg` is used as it is. */
export function snsErrorResponse(
  platform: WechatPlatform,
  errcode: number,
  errmsg?: string,
): EmulatorResponse {
  const text = SNS_ERROR_MESSAGES[errcode] ?? 'system error';
  const suffix = platform.draw((random, now) =>
    createRequestId(platform.settings.requestIdStyle, random, now),
  );
  return snsResponse({ errcode, errmsg: errmsg ?? `${text}, ${suffix}` });
}

const PLAIN_TEXT = { 'content-type': 'text/plain' };

/** WeChat sends JSON as `text/plain` without a charset, in UTF-8, and escapes the slashes. */
function snsResponse(body: SnsBody): EmulatorResponse {
  return {
    status: 200,
    headers: PLAIN_TEXT,
    body: typeof body === 'object' && !(body instanceof Uint8Array) ? json(body) : body,
  };
}

function json(value: unknown): string {
  return JSON.stringify(value).replaceAll('/', '\\/');
}

/** What JSON writes in another way, apart from slashes. */
const TO_ESCAPE = /["\\\p{Control}\p{Surrogate}]/u;

/** As {@link json}, in half the time for a text with nothing to escape. */
function jsonText(text: string): string {
  return TO_ESCAPE.test(text) ? json(text) : `"${text.replaceAll('/', '\\/')}"`;
}

/** @returns a parameter that the call cannot do without. Those are missed before anything is looked at. */
function required(request: EmulatorRequest, name: string, errcodeIfMissing: number): string {
  const value = request.parameter(name);
  if (value === '') {
    throw new SnsError(errcodeIfMissing);
  }
  return value;
}

/**
 * `GET /sns/oauth2/access_token`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
function exchangeCode(platform: WechatPlatform, request: EmulatorRequest): object {
  const appId = required(request, 'appid', 41002);
  const secret = required(request, 'secret', 41004);
  const code = required(request, 'code', 41008);
  checkGrantType(request, 'authorization_code');
  if (secret !== knownApp(platform, appId).appSecret) {
    throw new SnsError(40125);
  }
  return exchange(platform, { appId }, code);
}

/** `GET /sns/oauth2/component/access_token`: a third-party platform has no secret of the account's. */
function exchangeCodeForComponent(platform: WechatPlatform, request: EmulatorRequest): object {
  const appId = required(request, 'appid', 41002);
  const code = required(request, 'code', 41008);
  const component = readComponent(request);
  checkGrantType(request, 'authorization_code');
  return exchange(platform, componentOf(platform, appId, component), code);
}

function exchange(platform: WechatPlatform, app: AppIdentity, code: string): object {
  checkQuota(platform, 'token', app.appId);
  return tokenAnswer(platform, redeemCode(platform, app, code));
}

/** What an app is told of a new pair. */
export function tokenAnswer(platform: WechatPlatform, grant: Grant): WechatEmulatorTokens {
  const { entry, pair } = grant;
  const { unionid } = platform.profileOf(entry);
  const { scopeInTokenAnswer, snapshotFlag } = platform.settings;
  return {
    access_token: platform.ledger.tokenText('access', entry, pair),
    expires_in: ACCESS_TOKEN_LIFETIME_S,
    refresh_token: platform.ledger.tokenText('refresh', entry, pair),
    openid: entry.openid,
    ...(scopeInTokenAnswer ? { scope: pair.scope } : {}),
    ...(unionid !== undefined && tellsUnionid(platform, grant) ? { unionid } : {}),
    ...(entry.snapshot && snapshotFlag ? { is_snapshotuser: 1 } : {}),
  };
}

function tellsUnionid(platform: WechatPlatform, { entry, pair }: Grant): boolean {
  const { unionidInTokenAnswer } = platform.settings;
  if (pair.scope !== 'snsapi_base' || unionidInTokenAnswer === 'always') return true;
  return unionidInTokenAnswer === 'followers' && platform.people.get(entry.userId).follows;
}

/**
 * `GET /sns/oauth2/refresh_token`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsrefreshtoken
 */
function refreshAccessToken(platform: WechatPlatform, request: EmulatorRequest): string {
  const appId = required(request, 'appid', 41002);
  const refreshToken = required(request, 'refresh_token', 41003);
  checkGrantType(request, 'refresh_token');
  return refresh(platform, knownApp(platform, appId).appId, refreshToken);
}

/** `GET /sns/oauth2/component/refresh_token` */
function refreshForComponent(platform: WechatPlatform, request: EmulatorRequest): string {
  const appId = required(request, 'appid', 41002);
  const refreshToken = required(request, 'refresh_token', 41003);
  const component = readComponent(request);
  checkGrantType(request, 'refresh_token');
  return refresh(platform, componentOf(platform, appId, component).appId, refreshToken);
}

/** By hand, as this is what a load is made of: to have long texts looked through for quotes takes half a microsecond. */
function refresh(platform: WechatPlatform, appId: string, refreshToken: string): string {
  checkQuota(platform, 'refresh', appId);
  const grant = refreshPair(platform, appId, refreshToken);
  const { entry, pair } = grant;
  const accessToken = platform.ledger.tokenText('access', entry, pair);
  const scope = accumulatedScope(platform, grant);
  return `{"openid":${jsonText(entry.openid)},"access_token":"${accessToken}","expires_in":${String(ACCESS_TOKEN_LIFETIME_S)},"refresh_token":"${refreshToken}","scope":"${scope}"}`;
}

/**
 * `GET /sns/userinfo`. Sex, language and place have been empty for everybody since 2021-10-20, whatever `lang` asks.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo
 */
function tellUserInfo(platform: WechatPlatform, request: EmulatorRequest): string | Uint8Array {
  const grant = grantOf(platform, request, 'userinfo', platform.settings.looseOpenid);
  const { openid, unionid, nickname, nicknameBytes, headimgurl, privilege } = readProfile(platform, grant);
  // By hand, as in a refresh, and because a nickname may be bytes that are no text.
  const before = `{"openid":${jsonText(openid)},"nickname":`;
  const end = unionid === undefined ? '}' : `,"unionid":${jsonText(unionid)}}`;
  const after = `,"sex":0,"language":"","city":"","province":"","country":"","headimgurl":${jsonText(headimgurl)},"privilege":${json(privilege)}${end}`;
  if (!nicknameBytes) return before + jsonText(nickname) + after;
  return Buffer.concat([Buffer.from(`${before}"`), nicknameBytes, Buffer.from(`"${after}`)]);
}

/**
 * `GET /sns/auth`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsauth
 */
function tellWhetherAlive(platform: WechatPlatform, request: EmulatorRequest): object {
  grantOf(platform, request, 'auth', false);
  return { errcode: 0, errmsg: 'ok' };
}

function grantOf(
  platform: WechatPlatform,
  request: EmulatorRequest,
  endpoint: SnsEndpoint,
  anyOpenid: boolean,
): Grant {
  const accessToken = required(request, 'access_token', 41001);
  const openid = required(request, 'openid', 41009);
  const found = platform.ledger.findToken('access', accessToken);
  // No limit is documented for /sns/auth.
  if (found.kind !== 'unknown' && endpoint !== 'auth') checkQuota(platform, endpoint, found.entry.appId);
  const grant = verifyAccessToken(platform, found);
  if (openid !== grant.entry.openid && !anyOpenid) {
    throw new SnsError(40003);
  }
  return grant;
}

function checkGrantType(request: EmulatorRequest, grantType: string): void {
  if (request.parameter('grant_type') !== grantType) {
    throw new SnsError(40002);
  }
}

function knownApp(platform: WechatPlatform, appId: string): EmulatorApp {
  const app = platform.findApp(appId);
  if (!app) {
    throw new SnsError(40013);
  }
  return app;
}

/** How a third-party platform says who it is. */
interface ComponentCredentials {
  readonly componentAppId: string;
  readonly accessToken: string;
}

function readComponent(request: EmulatorRequest): ComponentCredentials {
  return {
    componentAppId: required(request, 'component_appid', 41018),
    accessToken: required(request, 'component_access_token', 41021),
  };
}

/** @returns an account that has authorized the third-party platform which calls. */
function componentOf(
  platform: WechatPlatform,
  appId: string,
  { componentAppId, accessToken }: ComponentCredentials,
): AppIdentity {
  knownApp(platform, appId);
  const component = platform.findApp(componentAppId);
  if (component?.kind !== 'component') {
    throw new SnsError(40013);
  }
  if (accessToken !== component.appSecret) {
    throw new SnsError(40001);
  }
  if (!component.accounts.includes(appId)) {
    throw new SnsError(61003);
  }
  return { appId, componentAppId };
}

function checkQuota(platform: WechatPlatform, endpoint: SnsEndpoint, appId: string): void {
  if (platform.quotas.isExceeded(endpoint, appId, platform.nowMs())) {
    throw new SnsError(45011);
  }
}

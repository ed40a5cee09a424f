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

type ReadParameter = (name: string) => string;

/** One of the calls of `api.weixin.qq.com`. */
export interface SnsCall {
  /** Which faults it meets. */
  readonly endpoint: SnsEndpoint;
  /** Parameters that it cannot do without, in the order they are missed, and the code that says so. */
  readonly required: readonly (readonly [string, number])[];
  readonly answer: (platform: WechatPlatform, query: ReadParameter) => SnsBody;
}

/** What is answered: to be written as JSON, or written already. */
type SnsBody = object | string | Uint8Array;

type Required = SnsCall['required'];

const OF_ACCESS_TOKEN: Required = [
  ['access_token', 41001],
  ['openid', 41009],
];
const OF_COMPONENT: Required = [
  ['component_appid', 41018],
  ['component_access_token', 41021],
];

/** By their paths. */
export const SNS_CALLS: Readonly<Record<string, SnsCall>> = {
  '/sns/oauth2/access_token': {
    endpoint: 'token',
    required: [
      ['appid', 41002],
      ['secret', 41004],
      ['code', 41008],
    ],
    answer: exchangeCode,
  },
  '/sns/oauth2/refresh_token': {
    endpoint: 'refresh',
    required: [
      ['appid', 41002],
      ['refresh_token', 41003],
    ],
    answer: refreshAccessToken,
  },
  '/sns/oauth2/component/access_token': {
    endpoint: 'token',
    required: [['appid', 41002], ['code', 41008], ...OF_COMPONENT],
    answer: exchangeCodeForComponent,
  },
  '/sns/oauth2/component/refresh_token': {
    endpoint: 'refresh',
    required: [['appid', 41002], ['refresh_token', 41003], ...OF_COMPONENT],
    answer: refreshForComponent,
  },
  '/sns/userinfo': { endpoint: 'userinfo', required: OF_ACCESS_TOKEN, answer: tellUserInfo },
  '/sns/auth': { endpoint: 'auth', required: OF_ACCESS_TOKEN, answer: tellWhetherAlive },
};

/** Errors come on HTTP 200 like everything else. */
export function answerSnsCall(
  platform: WechatPlatform,
  { required, answer }: SnsCall,
  request: EmulatorRequest,
): EmulatorResponse {
  const read: ReadParameter = (name) => request.parameter(name);
  try {
    for (const [name, errcode] of required) {
      if (read(name) === '') {
        throw new SnsError(errcode);
      }
    }
    return snsResponse(answer(platform, read));
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

/**
 * `GET /sns/oauth2/access_token`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
function exchangeCode(platform: WechatPlatform, query: ReadParameter): object {
  const app = knownApp(platform, query, 'authorization_code');
  if (query('secret') !== app.appSecret) {
    throw new SnsError(40125);
  }
  return exchange(platform, { appId: app.appId }, query('code'));
}

/** `GET /sns/oauth2/component/access_token`: a third-party platform has no secret of the account's. */
function exchangeCodeForComponent(platform: WechatPlatform, query: ReadParameter): object {
  return exchange(platform, knownComponent(platform, query, 'authorization_code'), query('code'));
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
function refreshAccessToken(platform: WechatPlatform, query: ReadParameter): string {
  return refresh(platform, knownApp(platform, query, 'refresh_token').appId, query('refresh_token'));
}

/** `GET /sns/oauth2/component/refresh_token` */
function refreshForComponent(platform: WechatPlatform, query: ReadParameter): string {
  return refresh(platform, knownComponent(platform, query, 'refresh_token').appId, query('refresh_token'));
}

/** By hand, as this is what a load is made of: to have long texts looked through for quotes takes half a microsecond. */
function refresh(platform: WechatPlatform, appId: string, refreshToken: string): string {
  checkQuota(platform, 'refresh', appId);
  const grant = refreshPair(platform, appId, refreshToken);
  const { entry, pair } = grant;
  const accessToken = platform.ledger.tokenText('access', entry, pair);
  const scope = accumulatedScope(platform, grant);
  return `{"openid":${json(entry.openid)},"access_token":"${accessToken}","expires_in":${String(ACCESS_TOKEN_LIFETIME_S)},"refresh_token":"${refreshToken}","scope":"${scope}"}`;
}

/**
 * `GET /sns/userinfo`. Sex, language and place have been empty for everybody since 2021-10-20, whatever `lang` asks.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo
 */
function tellUserInfo(platform: WechatPlatform, query: ReadParameter): string | Uint8Array {
  const grant = grantOf(platform, query, 'userinfo', platform.settings.looseOpenid);
  const { openid, unionid, nickname, nicknameBytes, headimgurl, privilege } = readProfile(platform, grant);
  // By hand, as in a refresh, and because a nickname may be bytes that are no text.
  const before = `{"openid":${json(openid)},"nickname":`;
  const end = unionid === undefined ? '}' : `,"unionid":${json(unionid)}}`;
  const after = `,"sex":0,"language":"","city":"","province":"","country":"","headimgurl":${json(headimgurl)},"privilege":${json(privilege)}${end}`;
  if (!nicknameBytes) return before + json(nickname) + after;
  return Buffer.concat([Buffer.from(`${before}"`), nicknameBytes, Buffer.from(`"${after}`)]);
}

/**
 * `GET /sns/auth`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsauth
 */
function tellWhetherAlive(platform: WechatPlatform, query: ReadParameter): object {
  grantOf(platform, query, 'auth', false);
  return { errcode: 0, errmsg: 'ok' };
}

function grantOf(
  platform: WechatPlatform,
  query: ReadParameter,
  endpoint: SnsEndpoint,
  anyOpenid: boolean,
): Grant {
  const found = platform.ledger.findToken('access', query('access_token'));
  // No limit is documented for /sns/auth.
  if (found.kind !== 'unknown' && endpoint !== 'auth') checkQuota(platform, endpoint, found.entry.appId);
  const grant = verifyAccessToken(platform, found);
  if (query('openid') !== grant.entry.openid && !anyOpenid) {
    throw new SnsError(40003);
  }
  return grant;
}

function knownApp(platform: WechatPlatform, query: ReadParameter, grantType: string): EmulatorApp {
  if (query('grant_type') !== grantType) {
    throw new SnsError(40002);
  }
  const app = platform.findApp(query('appid'));
  if (!app) {
    throw new SnsError(40013);
  }
  return app;
}

/** @returns an account that has authorized the third-party platform which calls. */
function knownComponent(platform: WechatPlatform, query: ReadParameter, grantType: string): AppIdentity {
  const { appId } = knownApp(platform, query, grantType);
  const component = platform.findApp(query('component_appid'));
  if (component?.kind !== 'component') {
    throw new SnsError(40013);
  }
  if (query('component_access_token') !== component.appSecret) {
    throw new SnsError(40001);
  }
  if (!component.accounts.includes(appId)) {
    throw new SnsError(61003);
  }
  return { appId, componentAppId: component.appId };
}

function checkQuota(platform: WechatPlatform, endpoint: SnsEndpoint, appId: string): void {
  if (platform.quotas.isExceeded(endpoint, appId, platform.nowMs())) {
    throw new SnsError(45011);
  }
}

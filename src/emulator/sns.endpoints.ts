import type { WechatEmulatorEndpoint } from './emulator.types.js';
import {
  ACCESS_TOKEN_LIFETIME_S,
  accumulatedScope,
  readProfile,
  redeemCode,
  refreshPair,
  verifyAccessToken,
} from './grants.js';
import type { EmulatorResponse } from './http.messages.js';
import type { WechatPlatform } from './platform.js';
import { SNS_ERROR_MESSAGES, SnsError } from './sns.errors.js';
import { createRequestId } from './tokens.js';

type SnsEndpoint = Exclude<WechatEmulatorEndpoint, 'authorize'>;

/** Parameters that a call cannot do without, in the order they are missed, and the code that says so. */
const REQUIRED_PARAMETERS: Readonly<Record<SnsEndpoint, readonly (readonly [string, number])[]>> = {
  token: [
    ['appid', 41002],
    ['secret', 41004],
    ['code', 41008],
  ],
  refresh: [
    ['appid', 41002],
    ['refresh_token', 41003],
  ],
  userinfo: [
    ['access_token', 41001],
    ['openid', 41009],
  ],
  auth: [
    ['access_token', 41001],
    ['openid', 41009],
  ],
};

const HANDLERS: Readonly<Record<SnsEndpoint, (platform: WechatPlatform, query: ReadParameter) => object>> = {
  token: exchangeCode,
  refresh: refreshAccessToken,
  userinfo: tellUserInfo,
  auth: tellWhetherAlive,
};

type ReadParameter = (name: string) => string;

/** The four calls of `api.weixin.qq.com`. Errors come on HTTP 200 like everything else. */
export function answerSnsRequest(
  platform: WechatPlatform,
  endpoint: SnsEndpoint,
  query: URLSearchParams,
): EmulatorResponse {
  try {
    for (const [name, errcode] of REQUIRED_PARAMETERS[endpoint]) {
      if (!query.get(name)) {
        throw new SnsError(errcode);
      }
    }
    return snsResponse(HANDLERS[endpoint](platform, (name) => query.get(name) ?? ''));
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
  return snsResponse({ errcode, errmsg: errmsg ?? `${text}, rid: ${platform.draw(createRequestId)}` });
}

/** WeChat sends JSON as `text/plain` without a charset, in UTF-8, and escapes the slashes. */
function snsResponse(body: object): EmulatorResponse {
  return {
    status: 200,
    headers: { 'content-type': 'text/plain' },
    body: JSON.stringify(body).replaceAll('/', '\\/'),
  };
}

/**
 * `GET /sns/oauth2/access_token`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
function exchangeCode(platform: WechatPlatform, query: ReadParameter): object {
  const app = checkGrantType(platform, query, 'authorization_code');
  if (query('secret') !== app.appSecret) {
    throw new SnsError(40125);
  }
  const pair = redeemCode(platform, app.appId, query('code'));
  const { unionid } = platform.profileOf(pair);
  return {
    access_token: pair.accessToken,
    expires_in: ACCESS_TOKEN_LIFETIME_S,
    refresh_token: pair.refreshToken,
    openid: pair.openid,
    scope: pair.scope,
    ...(unionid !== undefined && pair.scope === 'snsapi_userinfo' ? { unionid } : {}),
    ...(pair.snapshot ? { is_snapshotuser: 1 } : {}),
  };
}

/**
 * `GET /sns/oauth2/refresh_token`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsrefreshtoken
 */
function refreshAccessToken(platform: WechatPlatform, query: ReadParameter): object {
  const app = checkGrantType(platform, query, 'refresh_token');
  const pair = refreshPair(platform, app.appId, query('refresh_token'));
  return {
    openid: pair.openid,
    access_token: pair.accessToken,
    expires_in: ACCESS_TOKEN_LIFETIME_S,
    refresh_token: pair.refreshToken,
    scope: accumulatedScope(platform, pair),
  };
}

/**
 * `GET /sns/userinfo`. Sex, language and place have been empty for everybody since 2021-10-20.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo
 */
function tellUserInfo(platform: WechatPlatform, query: ReadParameter): object {
  const pair = verifyAccessToken(platform, query('access_token'));
  if (query('openid') !== pair.openid && !platform.settings.looseOpenid) {
    throw new SnsError(40003);
  }
  const { nickname, headimgurl, unionid } = readProfile(platform, pair);
  return {
    openid: pair.openid,
    nickname,
    sex: 0,
    language: '',
    city: '',
    province: '',
    country: '',
    headimgurl,
    privilege: [],
    ...(unionid === undefined ? {} : { unionid }),
  };
}

/**
 * `GET /sns/auth`
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsauth
 */
function tellWhetherAlive(platform: WechatPlatform, query: ReadParameter): object {
  const pair = verifyAccessToken(platform, query('access_token'));
  if (query('openid') !== pair.openid) {
    throw new SnsError(40003);
  }
  return { errcode: 0, errmsg: 'ok' };
}

function checkGrantType(platform: WechatPlatform, query: ReadParameter, grantType: string) {
  if (query('grant_type') !== grantType) {
    throw new SnsError(40002);
  }
  const app = platform.findApp(query('appid'));
  if (!app) {
    throw new SnsError(40013);
  }
  return app;
}

import type { WechatErrorCodeEntry } from './error-code.entry.js';

const BUG_CURE = {
  zh: '检查发起调用的代码；通过本模块的 WechatClient 调用不会出现此错误。',
  en: 'Correct the program that makes the call; calls through WechatClient do not meet this.',
};

/** What only a wrongly made call meets. */
export const CALL_ERROR_CODES: readonly WechatErrorCodeEntry[] = [
  {
    errcode: 40002,
    errmsg: 'invalid grant_type',
    class: 'usage',
    meaning: { zh: 'grant_type 不合法。', en: 'grant_type is not valid.' },
    causes: [
      { zh: 'grant_type 缺失、拼写错误或带有空格。', en: 'It is missing, mistyped or has a blank in it.' },
    ],
    cure: {
      zh: '换取 token 时用 authorization_code，刷新时用 refresh_token。',
      en: 'Send authorization_code to exchange a code and refresh_token to refresh.',
    },
  },
  {
    errcode: 40097,
    errmsg: 'invalid args',
    class: 'usage',
    meaning: { zh: '参数不正确。', en: 'A parameter is not valid.' },
    causes: [{ zh: '某个参数的值或格式有误。', en: 'The value or form of one of them is wrong.' }],
    cure: BUG_CURE,
  },
  {
    errcode: 41001,
    errmsg: 'access_token missing',
    class: 'usage',
    meaning: { zh: '缺少 access_token 参数。', en: 'The access token is missing.' },
    causes: [
      {
        zh: '换取 token 失败后未检查结果，就用空值调用了下一个接口。',
        en: 'The exchange failed, nobody looked, and the next call was made with nothing.',
      },
      {
        zh: '参数放进了请求体；应放在查询字符串中。',
        en: 'It was sent in the body; it belongs into the query.',
      },
    ],
    cure: {
      zh: '先检查换取 token 的结果，再调用 /sns/userinfo 或 /sns/auth。',
      en: 'Check the result of the exchange before calling /sns/userinfo or /sns/auth.',
    },
  },
  {
    errcode: 41002,
    errmsg: 'appid missing',
    class: 'usage',
    meaning: { zh: '缺少 appid 参数。', en: 'The app id is missing.' },
    causes: [
      {
        zh: 'AppID 未配置，或参数名写错（应为 appid）。',
        en: 'None is set, or the parameter is misspelt (it is appid).',
      },
    ],
    cure: { zh: '设置 WECHAT_APP_ID。', en: 'Set WECHAT_APP_ID.' },
  },
  {
    errcode: 41003,
    errmsg: 'refresh_token missing',
    class: 'usage',
    meaning: { zh: '缺少 refresh_token 参数。', en: 'The refresh token is missing.' },
    causes: [
      { zh: '没有保存授权时得到的 refresh_token。', en: 'The one from the authorization was not stored.' },
    ],
    cure: {
      zh: '授权成功时同时保存 refresh_token；没有保存的只能让用户重新授权。',
      en: 'Store the refresh token at the authorization; where it was not, the user has to authorize again.',
    },
  },
  {
    errcode: 41004,
    errmsg: 'appsecret missing',
    class: 'usage',
    meaning: { zh: '缺少 secret 参数。', en: 'The app secret is missing.' },
    causes: [
      {
        zh: 'AppSecret 未配置，或参数名写错（应为 secret）。',
        en: 'None is set, or the parameter is misspelt (it is secret).',
      },
    ],
    cure: { zh: '设置 WECHAT_APP_SECRET。', en: 'Set WECHAT_APP_SECRET.' },
  },
  {
    errcode: 41009,
    errmsg: 'missing openid',
    class: 'usage',
    meaning: { zh: '缺少 openid 参数。', en: 'The openid is missing.' },
    causes: [{ zh: '没有保存授权时得到的 openid。', en: 'The one from the authorization was not stored.' }],
    cure: {
      zh: '传入与 access_token 同时得到的 openid。',
      en: 'Pass the openid that came with the access token.',
    },
  },
  {
    errcode: 41018,
    errmsg: 'missing component_appid',
    class: 'usage',
    meaning: { zh: '缺少 component_appid 参数。', en: 'component_appid is missing.' },
    causes: [
      { zh: '调用第三方平台接口时漏传。', en: 'It was left out of a call for third-party platforms.' },
    ],
    cure: BUG_CURE,
  },
  {
    errcode: 41021,
    errmsg: 'missing component_access_token',
    class: 'usage',
    meaning: { zh: '缺少 component_access_token 参数。', en: 'component_access_token is missing.' },
    causes: [
      { zh: '调用第三方平台接口时漏传。', en: 'It was left out of a call for third-party platforms.' },
    ],
    cure: BUG_CURE,
  },
  {
    errcode: 41030,
    errmsg: 'invalid page',
    class: 'usage',
    meaning: { zh: '小程序页面路径无效。', en: 'The path of a mini-program page is not valid.' },
    causes: [
      {
        zh: '调用的是小程序接口，与网页授权无关。',
        en: 'A mini-program call was made; web-page sign-in has none of this.',
      },
    ],
    cure: BUG_CURE,
  },
  {
    errcode: 43001,
    errmsg: 'require GET method',
    class: 'usage',
    meaning: { zh: '需要使用 GET 请求。', en: 'The call has to be a GET.' },
    causes: [{ zh: '用 POST 调用了只接受 GET 的接口。', en: 'It was made with POST.' }],
    cure: BUG_CURE,
  },
  {
    errcode: 43002,
    errmsg: 'require POST method',
    class: 'usage',
    meaning: { zh: '需要使用 POST 请求。', en: 'The call has to be a POST.' },
    causes: [{ zh: '用 GET 调用了只接受 POST 的接口。', en: 'It was made with GET.' }],
    cure: BUG_CURE,
  },
  {
    errcode: 43003,
    errmsg: 'require https',
    class: 'configuration',
    meaning: { zh: '需要使用 HTTPS。', en: 'The call has to use https.' },
    causes: [{ zh: 'WECHAT_API_BASE_URL 以 http:// 开头。', en: 'WECHAT_API_BASE_URL begins with http://.' }],
    cure: { zh: '把 WECHAT_API_BASE_URL 改为 https。', en: 'Make WECHAT_API_BASE_URL an https address.' },
  },
  {
    errcode: 61009,
    errmsg: 'code is invalid',
    class: 'code',
    meaning: { zh: '第三方平台的 auth_code 无效。', en: "A third-party platform's auth_code is not valid." },
    causes: [
      {
        zh: '用错了 code：这里要的是管理员授权的 auth_code，不是网页授权的 code。',
        en: "A user's code was sent where an administrator's auth_code is wanted.",
      },
    ],
    cure: { zh: '重新发起第三方平台授权。', en: 'Start the authorization of the platform again.' },
  },
  {
    errcode: 61010,
    errmsg: 'code is expired',
    class: 'code',
    meaning: { zh: '第三方平台的 auth_code 已过期。', en: "A third-party platform's auth_code has expired." },
    causes: [{ zh: 'auth_code 未及时使用。', en: 'It was not used in time.' }],
    cure: { zh: '重新发起第三方平台授权。', en: 'Start the authorization of the platform again.' },
  },
  {
    errcode: 61014,
    errmsg: 'must use component token for component api',
    class: 'usage',
    meaning: {
      zh: '第三方平台接口必须使用 component_access_token。',
      en: 'A call for third-party platforms needs the component access token.',
    },
    causes: [{ zh: '误传了公众号的 access_token。', en: "An account's access token was sent instead." }],
    cure: BUG_CURE,
  },
  {
    errcode: 61023,
    errmsg: 'refresh_token is invalid',
    class: 'token',
    meaning: {
      zh: '授权方的 authorizer_refresh_token 无效。',
      en: "The refresh token of a third-party platform's client is not valid.",
    },
    causes: [
      {
        zh: '公众号取消过授权，或 refresh_token 没有保存好。',
        en: 'The account has withdrawn its authorization, or the token was not stored well.',
      },
    ],
    cure: {
      zh: '请公众号管理员重新授权给第三方平台。',
      en: "Have the account's administrator authorize the platform again.",
    },
  },
];

import type { WechatErrorCodeEntry } from './error-code.entry.js';

const WRONG_PARAMETER_CURE = {
  zh: '按文档的参数和顺序生成授权链接，用 buildAuthorizationUrl 即可。',
  en: 'Build the link with the documented parameters in their order, as buildAuthorizationUrl does.',
};

const IP_LIST_CAUSE = {
  zh: '服务器的出口 IP 不在公众平台的 IP 白名单内；网页授权接口（/sns）不检查白名单，说明调用的是 cgi-bin 接口。',
  en: "The server's public IP is not on the account's list; calls below /sns do not check it, so a cgi-bin call was made.",
};

/** What the operator has to put right: account, domain, secret, permissions, third-party platform. */
export const SETUP_ERROR_CODES: readonly WechatErrorCodeEntry[] = [
  {
    errcode: 10003,
    errmsg: 'redirect_uri域名与后台配置不一致',
    class: 'configuration',
    meaning: {
      zh: '回调地址的域名与公众平台登记的网页授权域名不一致（显示在授权页面上）。',
      en: 'The host of the redirect URI is not the one registered with WeChat (shown on the authorization page).',
    },
    causes: [
      {
        zh: '网页授权域名未登记，或登记时带了 http://、端口或路径；www.qq.com 不包含 pay.qq.com。',
        en: 'The domain (网页授权域名) is not registered, or was with scheme, port or path; www.qq.com does not cover pay.qq.com.',
      },
      { zh: 'redirect_uri 没有进行 URL 编码。', en: 'The redirect URI was not URL-encoded.' },
      { zh: 'WECHAT_PUBLIC_URL 不是用户访问的域名。', en: 'WECHAT_PUBLIC_URL is not the domain people use.' },
    ],
    cure: {
      zh: '在公众平台登记 WECHAT_PUBLIC_URL 的域名（仅域名），并放好 MP_verify 校验文件。',
      en: 'Register the host of WECHAT_PUBLIC_URL, nothing but the host, and serve the MP_verify file.',
    },
  },
  {
    errcode: 10004,
    errmsg: '此公众号被封禁',
    class: 'configuration',
    meaning: {
      zh: '公众号被封禁（显示在授权页面上）。',
      en: 'The account is banned (shown on the authorization page).',
    },
    causes: [{ zh: '公众号违规。', en: "The account has broken WeChat's rules." }],
    cure: { zh: '登录公众平台查看处罚通知并申诉。', en: 'Read the notice at mp.weixin.qq.com and appeal.' },
  },
  {
    errcode: 10005,
    errmsg: '此公众号并没有这些scope的权限',
    class: 'configuration',
    meaning: {
      zh: '公众号没有所请求 scope 的权限（显示在授权页面上）。',
      en: 'The account may not ask for this scope (shown on the authorization page).',
    },
    causes: [
      {
        zh: '公众号未认证，或不是服务号。',
        en: 'The account is not verified, or no service account (服务号).',
      },
      {
        zh: '混用了公众平台和开放平台的 AppID：snsapi_login 只用于网站应用。',
        en: 'The app id is from the other platform: snsapi_login is for website applications only.',
      },
    ],
    cure: {
      zh: '使用已认证服务号的 AppID，并在公众平台的接口权限页确认“网页授权”权限。',
      en: 'Use the app id of a verified service account and check its permission 网页授权 at mp.weixin.qq.com.',
    },
  },
  {
    errcode: 10006,
    errmsg: '必须关注此测试号',
    class: 'user',
    meaning: { zh: '必须先关注此测试号。', en: 'The user has to follow this test account first.' },
    causes: [
      {
        zh: '正在使用测试号，而用户没有关注它。',
        en: 'A test account is in use and the user does not follow it.',
      },
    ],
    cure: {
      zh: '用微信扫测试号的二维码关注后再试。',
      en: 'Follow the test account by its QR code, then try again.',
    },
  },
  {
    errcode: 10009,
    errmsg: '操作太频繁了，请稍后重试',
    class: 'quota',
    meaning: { zh: '操作太频繁。', en: 'Too many authorizations in a short time.' },
    causes: [
      { zh: '登录循环：授权后又立即发起授权。', en: 'A loop: each authorization starts the next one.' },
      { zh: '用户短时间内反复打开页面。', en: 'The user opened the page again and again.' },
    ],
    cure: {
      zh: '稍后再试；检查登录后会话是否真正保存。',
      en: 'Try later; check that the session is kept after the sign-in.',
    },
  },
  {
    errcode: 10010,
    errmsg: 'scope不能为空',
    class: 'usage',
    meaning: { zh: '授权链接缺少 scope。', en: 'The authorization link lacks scope.' },
    causes: [{ zh: '授权链接拼接错误。', en: 'The link was put together wrongly.' }],
    cure: WRONG_PARAMETER_CURE,
  },
  {
    errcode: 10011,
    errmsg: 'redirect_uri不能为空',
    class: 'usage',
    meaning: { zh: '授权链接缺少 redirect_uri。', en: 'The authorization link lacks redirect_uri.' },
    causes: [{ zh: '授权链接拼接错误。', en: 'The link was put together wrongly.' }],
    cure: WRONG_PARAMETER_CURE,
  },
  {
    errcode: 10012,
    errmsg: 'appid不能为空',
    class: 'usage',
    meaning: { zh: '授权链接缺少 appid。', en: 'The authorization link lacks appid.' },
    causes: [
      {
        zh: '授权链接拼接错误，或 AppID 未配置。',
        en: 'The link was put together wrongly, or no app id is set.',
      },
    ],
    cure: WRONG_PARAMETER_CURE,
  },
  {
    errcode: 10013,
    errmsg: 'state不能为空',
    class: 'usage',
    meaning: { zh: '授权链接缺少 state。', en: 'The authorization link lacks state.' },
    causes: [{ zh: '授权链接拼接错误。', en: 'The link was put together wrongly.' }],
    cure: WRONG_PARAMETER_CURE,
  },
  {
    errcode: 10015,
    errmsg: '公众号未授权第三方平台，请检查授权状态',
    class: 'configuration',
    meaning: {
      zh: '公众号没有授权给第三方平台。',
      en: 'The account has not authorized the third-party platform.',
    },
    causes: [{ zh: '公众号从未授权或已取消授权。', en: 'It never did, or has withdrawn it.' }],
    cure: {
      zh: '请公众号管理员重新授权给第三方平台。',
      en: "Have the account's administrator authorize the platform again.",
    },
  },
  {
    errcode: 10016,
    errmsg: '不支持微信开放平台的Appid，请使用公众号Appid',
    class: 'configuration',
    meaning: {
      zh: '不能使用开放平台的 AppID。',
      en: 'The app id is from the open platform, which does not do here.',
    },
    causes: [
      { zh: '填了网站应用或移动应用的 AppID。', en: 'It is the app id of a website or mobile application.' },
    ],
    cure: {
      zh: '把 WECHAT_APP_ID 改成公众号（服务号）的 AppID。',
      en: 'Set WECHAT_APP_ID to the app id of the service account (服务号).',
    },
  },
  {
    errcode: 40013,
    errmsg: 'invalid appid',
    class: 'configuration',
    meaning: { zh: 'AppID 无效。', en: 'The app id is not valid.' },
    causes: [
      { zh: 'AppID 填错，或带有多余的空格。', en: 'It is mistyped or has a blank too many.' },
      { zh: 'AppID 对应的账号已注销或冻结。', en: 'Its account is deregistered or frozen.' },
    ],
    cure: {
      zh: '核对 WECHAT_APP_ID 与公众平台上的 AppID。',
      en: 'Compare WECHAT_APP_ID with the app id at mp.weixin.qq.com.',
    },
  },
  {
    errcode: 40066,
    errmsg: 'invalid url',
    class: 'configuration',
    meaning: { zh: '接口地址无效。', en: 'The address of the call does not exist.' },
    causes: [
      {
        zh: 'WECHAT_API_BASE_URL 带有多余的路径，或代理改写了路径。',
        en: 'WECHAT_API_BASE_URL has a path too many, or a proxy rewrites it.',
      },
    ],
    cure: {
      zh: '核对 WECHAT_API_BASE_URL；默认值为 https://api.weixin.qq.com。',
      en: 'Check WECHAT_API_BASE_URL; the default is https://api.weixin.qq.com.',
    },
  },
  {
    errcode: 40125,
    errmsg: 'invalid appsecret',
    class: 'configuration',
    meaning: { zh: 'AppSecret 错误。', en: 'The app secret is wrong.' },
    causes: [
      {
        zh: 'AppSecret 在公众平台被重置，而应用仍用旧值。',
        en: 'It was reset at WeChat and the application still has the old one.',
      },
      { zh: 'AppSecret 填错，或属于另一个 AppID。', en: 'It is mistyped or belongs to another app id.' },
    ],
    cure: {
      zh: '在公众平台核对或重置 AppSecret，更新 WECHAT_APP_SECRET 后重启。',
      en: 'Look up or reset the app secret at mp.weixin.qq.com, set WECHAT_APP_SECRET and restart.',
    },
  },
  {
    errcode: 40164,
    errmsg: 'invalid ip, not in whitelist',
    class: 'configuration',
    meaning: { zh: '调用方 IP 不在白名单内。', en: "The caller's IP is not on the list of allowed ones." },
    causes: [IP_LIST_CAUSE],
    cure: {
      zh: '把出口 IP 加入公众平台的 IP 白名单。',
      en: "Add the public IP to the account's list at mp.weixin.qq.com.",
    },
  },
  {
    errcode: 45035,
    errmsg: 'access clientip is not registered, not in ip-white-list',
    class: 'configuration',
    meaning: { zh: '调用方 IP 未登记。', en: "The caller's IP is not registered." },
    causes: [IP_LIST_CAUSE],
    cure: {
      zh: '把出口 IP 加入公众平台的 IP 白名单。',
      en: "Add the public IP to the account's list at mp.weixin.qq.com.",
    },
  },
  {
    errcode: 48004,
    errmsg: 'api forbidden for irregularities, view detail on mp.weixin.qq.com',
    class: 'configuration',
    meaning: { zh: '公众号的接口被封禁。', en: "WeChat has barred the account's calls." },
    causes: [{ zh: '公众号违规受到处罚。', en: "The account was punished for breaking WeChat's rules." }],
    cure: { zh: '登录公众平台查看详情并申诉。', en: 'Read the notice at mp.weixin.qq.com and appeal.' },
  },
  {
    errcode: 61003,
    errmsg: 'component is not authorized by this account',
    class: 'configuration',
    meaning: {
      zh: '公众号没有授权给该第三方平台。',
      en: 'The account has not authorized the third-party platform.',
    },
    causes: [{ zh: '公众号取消了授权。', en: 'The account has withdrawn its authorization.' }],
    cure: {
      zh: '请公众号管理员重新授权给第三方平台。',
      en: "Have the account's administrator authorize the platform again.",
    },
  },
  {
    errcode: 61004,
    errmsg: 'access clientip is not registered',
    class: 'configuration',
    meaning: {
      zh: '调用方 IP 未在第三方平台登记。',
      en: "The caller's IP is not registered with the third-party platform.",
    },
    causes: [
      {
        zh: '第三方平台的白名单 IP 列表缺少服务器的出口 IP。',
        en: "The platform's list lacks the server's public IP.",
      },
    ],
    cure: {
      zh: '在开放平台把出口 IP 加入第三方平台的白名单。',
      en: "Add the public IP to the platform's list at open.weixin.qq.com.",
    },
  },
  {
    errcode: 61005,
    errmsg: 'component ticket is expired',
    class: 'configuration',
    meaning: { zh: 'component_verify_ticket 已过期。', en: "The third-party platform's ticket has expired." },
    causes: [
      {
        zh: '很久没有收到微信推送的 ticket。',
        en: "WeChat's pushes of the ticket have not arrived for long.",
      },
    ],
    cure: {
      zh: '检查接收 ticket 的地址，等待下一次推送（约 10 分钟一次）。',
      en: 'Check the address that receives tickets and wait for the next push, every 10 minutes or so.',
    },
  },
  {
    errcode: 61006,
    errmsg: 'component ticket is invalid',
    class: 'configuration',
    meaning: { zh: 'component_verify_ticket 无效。', en: "The third-party platform's ticket is not valid." },
    causes: [
      {
        zh: 'ticket 存取有误，或不是最新一次推送的。',
        en: 'It was stored wrongly, or is not the one pushed last.',
      },
    ],
    cure: { zh: '使用最近一次推送的 ticket。', en: 'Use the ticket that WeChat pushed last.' },
  },
  {
    errcode: 61007,
    errmsg: 'api is unauthorized to component',
    class: 'configuration',
    meaning: {
      zh: '该接口未授权给第三方平台。',
      en: 'The third-party platform may not make this call for the account.',
    },
    causes: [
      {
        zh: '公众号授权时没有勾选网页授权的权限集。',
        en: 'The account left out the permission set for web pages when it authorized.',
      },
    ],
    cure: {
      zh: '请公众号管理员重新授权并勾选该权限集。',
      en: "Have the account's administrator authorize again with that permission set.",
    },
  },
];

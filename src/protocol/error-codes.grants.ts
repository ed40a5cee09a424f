import type { WechatErrorCodeEntry } from './error-code.entry.js';

/** What the life of a user's grant meets: codes, tokens, consent, limits. */
export const GRANT_ERROR_CODES: readonly WechatErrorCodeEntry[] = [
  {
    errcode: -1,
    errmsg: 'system error',
    class: 'transient',
    meaning: { zh: '微信系统繁忙。', en: 'WeChat is busy.' },
    causes: [{ zh: '微信服务器一时过载或出现故障。', en: 'WeChat is overloaded or failing for the moment.' }],
    cure: {
      zh: '稍候重试；若发生在用 code 换取 token 时，code 可能已经作废，请重新发起授权。',
      en: 'Try again shortly; after an exchange of a code start a new authorization, as the code may be spent.',
    },
  },
  {
    errcode: 40001,
    errmsg: 'invalid credential, access_token is invalid or not latest',
    class: 'token',
    classAt: { token: 'configuration' },
    meaning: {
      zh: 'access_token 无效或不是最新的；用 code 换取 token 时也可能表示 AppSecret 错误。',
      en: 'The access token is not valid or not the latest one; at the exchange of a code: a wrong app secret.',
    },
    causes: [
      {
        zh: '用户重新授权过，旧的 access_token 和 refresh_token 随即失效。',
        en: 'The user authorized again, which ends the former access and refresh tokens.',
      },
      {
        zh: '误用了 cgi-bin 的全局 access_token；网页授权的 access_token 与它不是同一个东西。',
        en: 'The app-wide cgi-bin access token was used, which is not the one of web-page authorization.',
      },
      { zh: 'AppSecret 填错或已被重置。', en: 'The app secret is wrong or has been reset.' },
    ],
    cure: {
      zh: '刷新一次 access_token；仍失败则让用户重新授权。换取 token 时出现则核对 WECHAT_APP_SECRET。',
      en: 'Refresh the access token once, then have the user authorize again; at the exchange check WECHAT_APP_SECRET.',
    },
  },
  {
    errcode: 40003,
    errmsg: 'invalid openid',
    class: 'token',
    meaning: {
      zh: 'openid 无效，或与 access_token 不匹配。',
      en: 'The openid is not valid, or not the one the access token belongs to.',
    },
    causes: [
      {
        zh: 'openid 属于另一个公众号：同一个人在每个公众号下的 openid 都不同。',
        en: 'The openid is from another account: a person has a different one at each.',
      },
      {
        zh: 'openid 与 access_token 来自两次不同用户的授权。',
        en: 'The openid and the access token come from the authorizations of two users.',
      },
    ],
    cure: {
      zh: '把 openid 和同一次授权得到的 access_token 成对保存、成对使用；必要时让用户重新授权。',
      en: 'Store and use the openid with the access token it came with; if in doubt have the user authorize again.',
    },
  },
  {
    errcode: 40014,
    errmsg: 'invalid access_token',
    class: 'token',
    meaning: { zh: 'access_token 不合法。', en: 'The access token is not a valid one.' },
    causes: [
      {
        zh: 'access_token 被截断或改动，例如数据库字段太短。',
        en: 'It was cut or changed, for example by a short column.',
      },
      { zh: 'access_token 已被新的授权取代。', en: 'It was replaced by a newer authorization.' },
    ],
    cure: {
      zh: '刷新一次 access_token；仍失败则让用户重新授权，并检查存储字段的长度（建议 512）。',
      en: 'Refresh it once, then have the user authorize again; check that 512 characters fit where it is stored.',
    },
  },
  {
    errcode: 40029,
    errmsg: 'invalid code',
    class: 'code',
    classAt: { refresh: 'token' },
    meaning: { zh: 'code 无效或已过期。', en: 'The authorization code is not valid, or too old.' },
    causes: [
      {
        zh: '回调页面被重新打开：后退、刷新、恢复标签页，或转发了带 code 的链接。',
        en: 'The callback was opened again: back, reload, a restored tab, or a shared link with the code in it.',
      },
      { zh: 'code 超过 5 分钟未使用。', en: 'The code was not used within 5 minutes.' },
      { zh: 'code 由另一个 AppID 签发。', en: 'The code was issued for another app id.' },
      {
        zh: 'code 的大小写被改动；code 区分大小写。',
        en: 'The case of its letters was changed; it matters.',
      },
    ],
    cure: {
      zh: '重新发起一次授权，并限制次数以免循环；回调处理完后重定向到不带 code 的地址。',
      en: 'Start a new authorization, a limited number of times; end the callback in a redirect to a URL without the code.',
    },
  },
  {
    errcode: 40030,
    errmsg: 'invalid refresh_token',
    class: 'token',
    meaning: { zh: 'refresh_token 无效。', en: 'The refresh token is not valid.' },
    causes: [
      {
        zh: '用户重新授权过（哪怕只是静默授权），旧的 refresh_token 随即失效。',
        en: 'The user authorized again, be it silently, which ends the former refresh token.',
      },
      { zh: '使用了另一个 AppID 的 refresh_token。', en: 'It is the refresh token of another app id.' },
      { zh: 'refresh_token 被截断，例如数据库字段太短。', en: 'It was cut, for example by a short column.' },
    ],
    cure: {
      zh: '丢弃这个 refresh_token，让用户重新授权；保存时以最新一次授权的结果为准。',
      en: 'Drop it and have the user authorize again; always store the result of the latest authorization.',
    },
  },
  {
    errcode: 40163,
    errmsg: 'code been used',
    class: 'code',
    meaning: { zh: 'code 已被使用过。', en: 'The authorization code has been used before.' },
    causes: [
      {
        zh: '微信客户端把回调请求了两次（安卓上常见）。',
        en: 'The WeChat client called the callback twice, as it often does on Android.',
      },
      { zh: '用户后退或刷新了回调页面。', en: 'The user went back to the callback or reloaded it.' },
      {
        zh: '上一次换取 token 失败，但 code 已经作废。',
        en: 'An exchange failed before, but spent the code all the same.',
      },
    ],
    cure: {
      zh: '若这次授权（同一个 state）已经登录成功，就沿用那次结果；否则重新发起授权。',
      en: 'If this state has led to a sign-in already, use its result; otherwise start a new authorization.',
    },
  },
  {
    errcode: 40226,
    errmsg: 'code blocked',
    class: 'user',
    meaning: {
      zh: '高风险用户，登录被微信拦截。',
      en: 'WeChat holds the user for risky and blocks the sign-in.',
    },
    causes: [
      {
        zh: '微信判定该用户为高风险；目前只在小程序登录的文档中出现。',
        en: "WeChat's own judgement of the user; documented for mini-program sign-in only.",
      },
    ],
    cure: {
      zh: '拒绝登录，请用户联系微信客服。',
      en: "Deny the sign-in and point the user to WeChat's support.",
    },
  },
  {
    errcode: 41008,
    errmsg: 'missing code',
    class: 'code',
    meaning: { zh: '缺少 code 参数。', en: 'The authorization code is missing.' },
    causes: [
      { zh: '用户拒绝授权，回调里没有 code。', en: 'The user refused, so the callback had no code.' },
      { zh: '回调地址被直接打开。', en: 'The callback was opened directly.' },
    ],
    cure: {
      zh: '换取 token 之前先检查 code；没有 code 就按用户拒绝处理，或重新发起授权。',
      en: 'Check for the code before the exchange; without one treat it as a refusal or start a new authorization.',
    },
  },
  {
    errcode: 42001,
    errmsg: 'access_token expired',
    class: 'token',
    meaning: { zh: 'access_token 已过期。', en: 'The access token has expired.' },
    causes: [
      {
        zh: '距签发或上次刷新已超过 7200 秒。',
        en: 'More than 7200 s have passed since it was issued or refreshed.',
      },
    ],
    cure: {
      zh: '用 refresh_token 刷新一次后重试；刷新失败则让用户重新授权。',
      en: 'Refresh it once and try again; if the refresh fails have the user authorize again.',
    },
  },
  {
    errcode: 42002,
    errmsg: 'refresh_token expired',
    class: 'token',
    meaning: { zh: 'refresh_token 已过期。', en: 'The refresh token has expired.' },
    causes: [
      {
        zh: '距用户授权已满 30 天；刷新 access_token 不会延长 refresh_token。',
        en: '30 days have passed since the user authorized; refreshing access tokens does not extend it.',
      },
      {
        zh: '用户重新授权后旧的 refresh_token 失效。',
        en: 'The user authorized again, which ends the former one.',
      },
    ],
    cure: {
      zh: '丢弃这个 refresh_token，让用户重新授权。',
      en: 'Drop it and have the user authorize again.',
    },
  },
  {
    errcode: 42003,
    errmsg: 'code expired',
    class: 'code',
    meaning: { zh: 'code 已过期。', en: 'The authorization code has expired.' },
    causes: [
      {
        zh: 'code 超过 5 分钟未使用（目前微信多以 40029 回应这种情况）。',
        en: 'It was not used within 5 minutes; today WeChat mostly answers 40029 instead.',
      },
    ],
    cure: { zh: '重新发起授权。', en: 'Start a new authorization.' },
  },
  {
    errcode: 42007,
    errmsg: 'access_token and refresh_token exception',
    class: 'token',
    meaning: {
      zh: 'access_token 和 refresh_token 均已失效，需要用户重新授权。',
      en: 'Access token and refresh token have both ended; the user has to authorize again.',
    },
    causes: [{ zh: '用户修改了微信密码。', en: 'The user changed the WeChat password.' }],
    cure: {
      zh: '丢弃这一对 token，让用户重新授权。',
      en: 'Drop both tokens and have the user authorize again.',
    },
  },
  {
    errcode: 45009,
    errmsg: 'reach max api daily quota limit',
    class: 'quota',
    meaning: { zh: '接口的每日调用次数已用完。', en: 'The calls allowed per day are used up.' },
    causes: [
      {
        zh: '调用次数异常；网页授权接口本身没有每日限额，请检查是否循环调用。',
        en: 'A loop of calls, most likely: the calls of web-page authorization have no limit per day.',
      },
    ],
    cure: {
      zh: '停止调用，次日恢复；找出重复调用的原因。',
      en: 'Stop until the next day, and find what repeats the calls.',
    },
  },
  {
    errcode: 45011,
    errmsg: 'api minute-quota reach limit  mustslower  retry next minute',
    class: 'quota',
    meaning: { zh: '接口每分钟的调用次数超限。', en: 'Too many calls within a minute.' },
    causes: [
      {
        zh: '同一 AppID 对同一接口每分钟调用超过 50000 次，所有实例合并计算。',
        en: 'More than 50,000 calls a minute of one kind for one app id, all instances together.',
      },
    ],
    cure: { zh: '至少等一分钟，再以更低的速率重试。', en: 'Wait a minute at least, then go on more slowly.' },
  },
  {
    errcode: 48001,
    errmsg: 'api unauthorized',
    class: 'consent',
    meaning: {
      zh: '这个 access_token 无权读取用户信息：用户没有（或不再）同意 snsapi_userinfo，或公众号没有该接口权限。',
      en: 'This access token may not read the profile: the user has not agreed to snsapi_userinfo, or no longer does, or the account lacks the permission.',
    },
    causes: [
      {
        zh: 'access_token 来自 snsapi_base 静默授权；即使用户以前同意过 snsapi_userinfo，后来的一次静默授权也会换掉当时的 token。',
        en: 'The access token comes from a silent snsapi_base authorization; even after a snsapi_userinfo consent a later silent one replaces the tokens of that consent.',
      },
      {
        zh: '“有时可以，有时不行”：用户同意后，微信在一段时间内（约 30 天，未写入文档）可能仍让 snsapi_base 的 token 读到用户信息，之后或换一个用户、公众号就会失败。不要依赖这一行为。',
        en: '"Sometimes it works": for some time after a consent (about 30 days, not documented) WeChat may let a snsapi_base token read the profile too, then stops, and other users or accounts never could. Do not rely on it.',
      },
      {
        zh: '页面以快照页打开（is_snapshotuser 为 1），token 属于虚拟用户；通常是因为没有用户操作就发起了 snsapi_userinfo。',
        en: 'The page was opened as a snapshot (is_snapshotuser is 1) and the token is that of a virtual user; mostly because snsapi_userinfo was requested without the user doing anything.',
      },
      {
        zh: '用户撤回了授权，或同意已超过 30 天。',
        en: 'The user has withdrawn the consent, or gave it more than 30 days ago.',
      },
      {
        zh: '所有用户都失败：公众号未认证、不是服务号，或没有“网页授权获取用户基本信息”权限。',
        en: 'If it fails for every user: the account is not verified, is no service account (服务号), or lacks the permission 网页授权获取用户基本信息.',
      },
    ],
    cure: {
      zh: '不要重试：先向用户说明用途，再由用户点击按钮发起 snsapi_userinfo 授权；若所有用户都失败，到公众平台的接口权限页核对。',
      en: "Do not retry: tell the user what the profile is for and start a snsapi_userinfo authorization from a button; if it fails for everybody check the account's permissions at mp.weixin.qq.com.",
    },
  },
  {
    errcode: 50001,
    errmsg: '用户未授权该 api',
    class: 'consent',
    meaning: { zh: '用户未授权该接口。', en: 'The user has not authorized this call.' },
    causes: [
      {
        zh: '用户在微信的“个人信息与权限管理”中撤回了授权。',
        en: "The user has withdrawn the consent in WeChat's settings.",
      },
      { zh: '用户从未同意 snsapi_userinfo。', en: 'The user has never agreed to snsapi_userinfo.' },
    ],
    cure: {
      zh: '说明用途后让用户重新进行 snsapi_userinfo 授权；用户已撤回的数据应按规定删除。',
      en: 'Say what it is for and ask for snsapi_userinfo again; data of a withdrawn consent has to be deleted.',
    },
  },
  {
    errcode: 50002,
    errmsg: 'user limited',
    class: 'user',
    meaning: { zh: '用户受限。', en: 'WeChat has restricted this user.' },
    causes: [
      { zh: '用户的微信账号被冻结或已注销。', en: "The user's WeChat account is frozen or deregistered." },
    ],
    cure: {
      zh: '拒绝登录，请用户联系微信客服。',
      en: "Deny the sign-in and point the user to WeChat's support.",
    },
  },
  {
    errcode: 50005,
    errmsg: 'user is unsubscribed',
    class: 'user',
    meaning: { zh: '用户未关注公众号。', en: 'The user does not follow the account.' },
    causes: [
      {
        zh: '调用了只对关注者开放的接口；网页授权接口不要求关注。',
        en: 'A call for followers only was used; those of web-page authorization do not need it.',
      },
    ],
    cure: {
      zh: '请用户先关注公众号，或改用网页授权接口。',
      en: 'Have the user follow the account, or use the calls of web-page authorization.',
    },
  },
];

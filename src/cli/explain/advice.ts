import type { LocalizedText } from '../../protocol/error-codes.js';

/** What the catalogue does not say about a code: what it knows is WeChat, and this is about whoever reads it. */
export interface Advice {
  /** What one has to know to understand the rest. */
  background?: LocalizedText;
  /** How this module deals with it, or where it tells more. */
  withModule: LocalizedText;
  /** What to do without this module, step by step. */
  byHand?: readonly LocalizedText[];
}

const ONE_EXCHANGE: LocalizedText = {
  zh: '本模块对同一个 state 只换取一次 code（多实例也是如此），重复的回调得到同一个会话，最后重定向到不带 code 的地址；后退、刷新、转发的旧链接会重新发起一次授权，不会循环。',
  en: 'It exchanges the code of one state once, on however many instances; a second callback gets the same session, and the browser ends at an address without the code. A back button, a reload or a shared link starts a new sign-in, once, and no loop.',
};

const PROVED_BY_DOCTOR: LocalizedText = {
  zh: '运行 npx nestjs-wechat-auth doctor：它会用一次调用验证 AppID 和 AppSecret。',
  en: 'Run npx nestjs-wechat-auth doctor: one call of its proves app id and app secret.',
};

const ASKS_FOR_CONSENT: LocalizedText = {
  zh: "在路由上写 @WechatAuth('userinfo')，用 @CurrentWechatUser() 取得 user.userInfo，不要自己调用 /sns/userinfo。本模块把“用户的同意”与“token”分开记录：没有同意的用户先看到说明页，点按钮后才授权；同意仍有效、只是 token 读不到资料时，静默换一对新的，不打扰用户。48001 不会传到你的代码里。",
  en: "Write @WechatAuth('userinfo') on the route and take user.userInfo from @CurrentWechatUser(), instead of calling /sns/userinfo yourself. The module keeps the consent apart from the tokens: who has not agreed sees a page that explains, with a button; where the consent is alive and only the tokens cannot read the profile, it gets new ones silently. 48001 never reaches your code.",
};

const ADVICE = new Map<number, Advice>([
  [
    48001,
    {
      background: {
        zh: '网页授权有两种 scope：snsapi_base 静默，只给 openid；snsapi_userinfo 要用户点“允许”，才能读昵称和头像。微信对每个用户只保留最新一次授权的 token。',
        en: 'Web-page authorization knows two scopes: snsapi_base is silent and brings the openid alone; snsapi_userinfo asks the user, and only then may nickname and avatar be read. WeChat keeps the tokens of the latest authorization of a user alone.',
      },
      withModule: ASKS_FOR_CONSENT,
      byHand: [
        {
          zh: '看换取这个 token 时（/sns/oauth2/access_token）返回的 scope：若是 snsapi_base，原因就是第 1 条；若 is_snapshotuser 为 1，就是快照页。',
          en: 'Look at the answer of /sns/oauth2/access_token that brought this token: if its scope is snsapi_base, cause 1 it is; if is_snapshotuser is 1, the snapshot page.',
        },
        {
          zh: '做一个页面，说明要昵称和头像做什么，并放一个按钮；按钮指向 scope=snsapi_userinfo 的授权链接。',
          en: 'Make a page that says what nickname and avatar are for, with a button that leads to the authorization link with scope=snsapi_userinfo.',
        },
        {
          zh: '用回调中的新 code 换取 token，立刻用它调用 /sns/userinfo，并以这一对 token 覆盖原来保存的。',
          en: 'Exchange the code that comes back, call /sns/userinfo with the access token of that very answer, and store its pair of tokens in place of the one before.',
        },
        {
          zh: '把“用户何时同意”单独保存；之后的静默授权会换掉 token，但不等于用户撤回了同意。',
          en: 'Store apart from the tokens when the user agreed: a later silent authorization replaces the tokens, and says nothing about the consent.',
        },
        {
          zh: '所有用户都失败时，到 mp.weixin.qq.com 的接口权限页查看“网页授权获取用户基本信息”是否已获得；它要求已认证的服务号。',
          en: 'If it fails for everybody, see at mp.weixin.qq.com, 接口权限, whether the account has 网页授权获取用户基本信息; that takes a verified service account (已认证服务号).',
        },
      ],
    },
  ],
  [50001, { withModule: ASKS_FOR_CONSENT }],
  [40029, { withModule: ONE_EXCHANGE }],
  [40163, { withModule: ONE_EXCHANGE }],
  [40013, { withModule: PROVED_BY_DOCTOR }],
  [40125, { withModule: PROVED_BY_DOCTOR }],
  [
    10003,
    {
      withModule: {
        zh: '运行 npx nestjs-wechat-auth doctor：它按微信的规则检查 WECHAT_PUBLIC_URL，并给出要在公众平台填写的内容。',
        en: "Run npx nestjs-wechat-auth doctor: it holds WECHAT_PUBLIC_URL against WeChat's rules and prints what to enter at WeChat.",
      },
    },
  ],
  [
    10009,
    {
      withModule: {
        zh: '同一浏览器一分钟内第三次完成同类登录时，本模块会停下来显示说明页，不会继续循环。',
        en: 'A browser that completes a third sign-in of one kind within a minute is stopped with a page of advice, so there is no loop.',
      },
    },
  ],
]);

export function adviceFor(errcode: number): Advice | undefined {
  return ADVICE.get(errcode);
}

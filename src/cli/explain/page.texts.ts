import type { LocalizedText } from '../../protocol/error-codes.js';

/** What is known of one of WeChat's pages that shows a text and no number. */
export interface PageExplanation {
  /** WeChat's words. */
  text: string;
  meaning: LocalizedText;
  /** Likeliest first. */
  causes: readonly LocalizedText[];
  cure: LocalizedText;
}

/** A text that people see at open.weixin.qq.com instead of the consent page. */
export interface PageText {
  pattern: RegExp;
  /** The number that stands for the same thing, or an explanation where there is none. */
  means: number | PageExplanation;
}

const STATE_TOO_LONG: PageExplanation = {
  text: 'state参数过长',
  meaning: {
    zh: '授权链接中的 state 超过了微信允许的 128 字节。',
    en: 'The state in the authorization link is longer than the 128 bytes that WeChat allows.',
  },
  causes: [
    {
      zh: '登录库把会话、JWT 或回跳地址放进了 state。',
      en: 'The sign-in library puts a session, a JWT or the address to come back to into the state.',
    },
  ],
  cure: {
    zh: 'state 只放一个随机编号（1 到 128 个字母或数字），其余内容存在服务端或放进 redirect_uri。',
    en: 'Let the state be a random id (1 to 128 letters or digits) and keep the rest on the server or in the redirect URI.',
  },
};

const OPEN_IN_WECHAT: PageExplanation = {
  text: '请在微信客户端打开链接',
  meaning: {
    zh: '授权链接是在微信之外的浏览器里打开的；网页授权只能在微信内进行。',
    en: 'The authorization link was opened in a browser outside of WeChat; web-page authorization works only inside.',
  },
  causes: [
    {
      zh: '用户在手机浏览器或电脑浏览器中打开了页面。',
      en: 'The page was opened in the browser of a phone or a computer.',
    },
    {
      zh: '网站用二维码登录需要的是另一个接口（snsapi_login），授权链接用错了。',
      en: 'A website with sign-in by QR code needs another link (snsapi_login).',
    },
  ],
  cure: {
    zh: '在微信里打开页面（例如扫描页面地址的二维码）；开发时用本模块的模拟器或微信开发者工具。',
    en: "Open the page inside WeChat, for example by a QR code of its address; to develop, use this module's emulator or WeChat's developer tools.",
  },
};

const LINK_UNREACHABLE: PageExplanation = {
  text: '该链接无法访问',
  meaning: {
    zh: '微信不接受这个授权链接。',
    en: 'WeChat does not accept this authorization link.',
  },
  causes: [
    {
      zh: '参数的顺序或名称与文档不一致；微信会严格比对授权链接。',
      en: 'Its parameters are not in the documented order or are misspelt; WeChat compares the link strictly.',
    },
    { zh: '链接末尾缺少 #wechat_redirect。', en: 'It lacks #wechat_redirect at its end.' },
    { zh: 'redirect_uri 没有进行 URL 编码。', en: 'The redirect URI is not URL-encoded.' },
  ],
  cure: {
    zh: '按文档的顺序生成链接：appid、redirect_uri、response_type、scope、state，末尾加 #wechat_redirect；用 buildAuthorizationUrl 即可。',
    en: 'Build it in the documented order: appid, redirect_uri, response_type, scope, state, #wechat_redirect at the end; buildAuthorizationUrl does.',
  },
};

/** The pages that show no number, or show it in small print that nobody copies. */
export const PAGE_TEXTS: readonly PageText[] = [
  { pattern: /redirect_uri\s*参数错误/i, means: 10003 },
  { pattern: /scope\s*参数错误|没有\s*scope\s*权限/i, means: 10005 },
  { pattern: /state\s*参数过长/i, means: STATE_TOO_LONG },
  { pattern: /请在微信客户端打开/, means: OPEN_IN_WECHAT },
  { pattern: /该链接无法访问/, means: LINK_UNREACHABLE },
];

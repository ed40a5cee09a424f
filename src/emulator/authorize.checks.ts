import type { WireScope } from './emulator.state.js';
import type { WechatEmulatorApp } from './emulator.types.js';
import type { EmulatorRequest } from './http.messages.js';
import type { WechatPlatform } from './platform.js';
import { parseUrl } from '../common/parsed-url.js';

/** An authorization request that WeChat would go on with. */
export interface AuthorizationRequest {
  app: Required<WechatEmulatorApp>;
  redirectUri: string;
  scope: WireScope;
  state: string;
  /** Show the consent page even to someone who consented recently. */
  forcePopup: boolean;
}

/** The authorization page shows an error and goes nowhere. */
export class AuthorizePageError extends Error {
  /**
   * @param code WeChat's number for it, if it has one.
   * @param text What the person reads, in WeChat's words.
   * @param hint What the developer needs to know, in English.
   */
  constructor(
    readonly code: number | undefined,
    readonly text: string,
    readonly hint: string,
  ) {
    super(text);
  }
}

/**
 * Texts of WeChat's authorization page by its error numbers.
 *
 * @see https://developers.weixin.qq.com/doc/offiaccount/OA_Web_Apps/Wechat_webpage_authorization.html
 */
const PAGE_ERRORS: Readonly<Record<number, readonly [text: string, hint: string]>> = {
  10003: [
    'redirect_uri域名与后台配置不一致',
    'The host of redirect_uri is not a registered redirect domain of this app.',
  ],
  10004: ['此公众号被封禁', 'This account is banned.'],
  10005: ['此公众号并没有这些scope的权限', 'scope must be snsapi_base or snsapi_userinfo.'],
  10006: ['必须关注此测试号', 'The user has to follow this test account first.'],
  10009: ['操作太频繁了，请稍后重试', 'Too many attempts; try again later.'],
  10010: ['scope不能为空', 'scope is missing.'],
  10011: ['redirect_uri不能为空', 'redirect_uri is missing.'],
  10012: ['appid不能为空', 'appid is missing.'],
  10013: ['state不能为空', 'state is missing. It may be empty, but it has to be there.'],
  10015: [
    '公众号未授权第三方平台，请检查授权状态',
    'The account has not authorized this third-party platform.',
  ],
  10016: ['不支持微信开放平台的Appid，请使用公众号Appid', 'This appid is not that of a service account.'],
};

/** Parameters that must be there, in the order they are missed; `state` alone may be empty. */
const REQUIRED_PARAMETERS: readonly (readonly [string, number])[] = [
  ['appid', 10012],
  ['redirect_uri', 10011],
  ['scope', 10010],
];

/** The order that WeChat documents and on some clients insists on. What follows is up to the application. */
const DOCUMENTED_ORDER = ['appid', 'redirect_uri', 'response_type', 'scope', 'state'];

const STATE_LIMIT_BYTES = 128;

/** @returns WeChat's error page for a number; one without words of its own for a number that has none. */
export function pageError(code: number, text?: string, hint?: string): AuthorizePageError {
  const [knownText, knownHint] = PAGE_ERRORS[code] ?? ['该链接无法访问', 'WeChat gives no reason.'];
  return new AuthorizePageError(code, text ?? knownText, hint ?? knownHint);
}

/** Checks an authorization request. Throws {@link AuthorizePageError}. */
export function readAuthorizationRequest(
  platform: WechatPlatform,
  request: EmulatorRequest,
): AuthorizationRequest {
  const { query, userAgent } = request;
  // WeCom calls itself MicroMessenger too and is another product.
  if (
    platform.settings.requireWechatUserAgent &&
    (!/MicroMessenger/i.test(userAgent) || /wxwork/i.test(userAgent))
  ) {
    throw new AuthorizePageError(undefined, '请在微信客户端打开链接', 'This page opens in WeChat only.');
  }
  const missing = REQUIRED_PARAMETERS.find(([name]) => !query.get(name));
  if (missing) {
    throw pageError(missing[1]);
  }
  const state = query.get('state');
  if (state === null) {
    throw pageError(10013);
  }
  checkForm(query, platform.settings.strictParameterOrder);

  const app = platform.findApp(query.get('appid') ?? '');
  if (!app) {
    throw new AuthorizePageError(
      undefined,
      'AppID 参数错误',
      'No app with this appid is registered at the emulator.',
    );
  }
  if (app.kind !== 'service') {
    throw pageError(10016);
  }
  const scope = query.get('scope');
  if (scope !== 'snsapi_base' && scope !== 'snsapi_userinfo') {
    throw pageError(10005);
  }
  const redirectUri = query.get('redirect_uri') ?? '';
  const host = hostOf(redirectUri);
  // The host name alone decides: any port and path will do, sub-domains and the domain above will not.
  if (host === undefined || !app.redirectDomains.some((domain) => domain.toLowerCase() === host)) {
    throw pageError(
      10003,
      undefined,
      `redirect_uri leads to ${host ?? 'no http(s) address'}; registered for this app: ${app.redirectDomains.join(', ')}.`,
    );
  }
  if (Buffer.byteLength(state) > STATE_LIMIT_BYTES) {
    throw new AuthorizePageError(
      undefined,
      'state参数过长',
      `state is longer than ${String(STATE_LIMIT_BYTES)} bytes.`,
    );
  }
  return { app, redirectUri, scope, state, forcePopup: query.get('forcePopup') === 'true' };
}

function checkForm(query: URLSearchParams, isOrderStrict: boolean): void {
  const names = [...query.keys()].slice(0, DOCUMENTED_ORDER.length);
  if (isOrderStrict && names.join() !== DOCUMENTED_ORDER.join()) {
    throw new AuthorizePageError(
      undefined,
      '该链接无法访问',
      `The parameters must begin with ${DOCUMENTED_ORDER.join(', ')}, in this order; they begin with ${names.join(', ')}.`,
    );
  }
  if (query.get('response_type') !== 'code') {
    throw new AuthorizePageError(undefined, '该链接无法访问', 'response_type must be code.');
  }
}

function hostOf(redirectUri: string): string | undefined {
  const url = parseUrl(redirectUri);
  return url && /^https?:$/.test(url.protocol) ? url.hostname : undefined;
}

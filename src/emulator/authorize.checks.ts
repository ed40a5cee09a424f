import type { WireScope } from './emulator.state.js';
import type { AppIdentity } from './grants.js';
import type { EmulatorRequest } from './http.messages.js';
import type { WechatPlatform } from './platform.js';
import type { EmulatorApp } from './settings.js';
import { parseUrl } from '../common/parsed-url.js';

/** An authorization request that WeChat would go on with. */
export interface AuthorizationRequest extends AppIdentity {
  app: EmulatorApp;
  redirectUri: string;
  scope: WireScope;
  state: string;
  /** Show the consent page even to someone who consented recently. */
  forcePopup: boolean;
  /** Open as a snapshot page if the user would be asked. */
  forceSnapshot: boolean;
  /** The callback comes once even where callbacks come twice: `connect_redirect=1`, which no document mentions. */
  once: boolean;
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
  10005: ['此公众号并没有这些scope的权限', 'scope is one that this account may not ask for.'],
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

/** What WeChat says where it gives no reason. */
const UNREACHABLE = '该链接无法访问';

/** @returns WeChat's error page for a number; one without words of its own for a number that has none. */
export function pageError(code: number, text?: string, hint?: string): AuthorizePageError {
  const [knownText, knownHint] = PAGE_ERRORS[code] ?? [UNREACHABLE, 'WeChat gives no reason.'];
  return new AuthorizePageError(code, text ?? knownText, hint ?? knownHint);
}

/** A scope that is of another kind of app, or of none. */
function scopeError(hint: string): AuthorizePageError {
  return new AuthorizePageError(undefined, 'Scope 参数错误或没有 Scope 权限', hint);
}

/** Checks a request to `/connect/oauth2/authorize`. Throws {@link AuthorizePageError}. */
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
  const app = registeredApp(platform, query);
  if (app.kind !== 'service' && app.kind !== 'sandbox') {
    throw pageError(10016);
  }
  if (app.banned) {
    throw pageError(10004);
  }
  const scope = query.get('scope');
  if (scope !== 'snsapi_base' && scope !== 'snsapi_userinfo') {
    throw scopeError('The scope of a page in WeChat is snsapi_base or snsapi_userinfo.');
  }
  if (!app.scopes.includes(scope)) {
    throw pageError(10005);
  }
  const component = authorizedComponent(platform, query, app);
  return {
    ...commonParts(app, component ?? app, query),
    ...(component ? { componentAppId: component.appId } : {}),
    scope,
    forcePopup: query.get('forcePopup') === 'true',
    forceSnapshot: query.get('forceSnapShot') === 'true',
    once: query.get('connect_redirect') === '1',
  };
}

/** Checks a request to `/connect/qrconnect`. Throws {@link AuthorizePageError}. */
export function readQrConnectRequest(
  platform: WechatPlatform,
  request: EmulatorRequest,
): AuthorizationRequest {
  try {
    return qrConnectRequest(platform, request);
  } catch (error) {
    // The numbers are those of the page in WeChat; on a PC the same mistakes have been seen without one.
    throw error instanceof AuthorizePageError && error.code !== undefined
      ? new AuthorizePageError(undefined, UNREACHABLE, error.hint)
      : error;
  }
}

function qrConnectRequest(platform: WechatPlatform, { query }: EmulatorRequest): AuthorizationRequest {
  const app = registeredApp(platform, query);
  if (app.kind !== 'website' || query.get('scope') !== 'snsapi_login') {
    throw scopeError(
      'A QR code sign-in wants the appid of a website application, and snsapi_login for scope.',
    );
  }
  return {
    ...commonParts(app, app, query),
    scope: 'snsapi_login',
    forcePopup: true,
    forceSnapshot: false,
    once: true,
  };
}

/** What is missing is noticed first, then the form, then who it is from. */
function registeredApp(platform: WechatPlatform, query: URLSearchParams): EmulatorApp {
  const { requireState, strictParameterOrder } = platform.settings;
  const missing = REQUIRED_PARAMETERS.find(([name]) => !query.get(name));
  if (missing) {
    throw pageError(missing[1]);
  }
  if (requireState && query.get('state') === null) {
    throw pageError(10013);
  }
  checkForm(query, strictParameterOrder);
  const app = platform.findApp(query.get('appid') ?? '');
  if (!app) {
    throw new AuthorizePageError(
      undefined,
      'AppID 参数错误',
      'No app with this appid is registered at the emulator.',
    );
  }
  return app;
}

/** @returns the third-party platform that asks on behalf of the account, if there is one. */
function authorizedComponent(
  platform: WechatPlatform,
  query: URLSearchParams,
  { appId }: EmulatorApp,
): EmulatorApp | undefined {
  const componentAppId = query.get('component_appid');
  if (componentAppId === null) return undefined;
  const component = platform.findApp(componentAppId);
  if (component?.kind !== 'component' || !component.accounts.includes(appId)) {
    throw pageError(10015);
  }
  return component;
}

/** @param registrant the app whose redirect domains count. */
function commonParts(app: EmulatorApp, registrant: EmulatorApp, query: URLSearchParams) {
  const redirectUri = query.get('redirect_uri') ?? '';
  checkRedirectUri(redirectUri, registrant);
  const state = query.get('state') ?? '';
  if (Buffer.byteLength(state) > STATE_LIMIT_BYTES) {
    throw new AuthorizePageError(
      undefined,
      'state参数过长',
      `state is longer than ${String(STATE_LIMIT_BYTES)} bytes.`,
    );
  }
  return { app, appId: app.appId, redirectUri, state };
}

function checkForm(query: URLSearchParams, isOrderStrict: boolean): void {
  const expected = DOCUMENTED_ORDER.filter((name) => name !== 'state' || query.has('state'));
  const names = [...query.keys()].slice(0, expected.length);
  if (isOrderStrict && names.join() !== expected.join()) {
    throw new AuthorizePageError(
      undefined,
      UNREACHABLE,
      `The parameters must begin with ${expected.join(', ')}, in this order; they begin with ${names.join(', ')}.`,
    );
  }
  if (query.get('response_type') !== 'code') {
    throw new AuthorizePageError(undefined, UNREACHABLE, 'response_type must be code.');
  }
}

/** The host name alone decides: any port and path will do, sub-domains and the domain above will not. */
function checkRedirectUri(redirectUri: string, { kind, redirectDomains }: EmulatorApp): void {
  const url = parseUrl(redirectUri);
  const isHttp = url !== undefined && /^https?:$/.test(url.protocol);
  const isRegistered =
    isHttp &&
    redirectDomains.some((domain) => {
      const name = domain.toLowerCase();
      return name === url.hostname || (kind === 'sandbox' && name === url.host);
    });
  if (isRegistered) return;
  throw pageError(
    10003,
    undefined,
    `redirect_uri leads to ${isHttp ? url.hostname : 'no http(s) address'}; registered for this app: ${redirectDomains.join(', ')}.`,
  );
}

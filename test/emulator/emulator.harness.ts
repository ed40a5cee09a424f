import {
  createWechatEmulator,
  type WechatEmulator,
  type WechatEmulatorOptions,
} from '../../src/emulator/index.js';

export const START = new Date('2026-11-22T08:00:00.000Z');
/** What is behind an error message at {@link START}, whose seconds are 6b02a100 in hexadecimal. */
export const RID_AT_START = 'rid: 6b02a100-[0-9a-f]{8}-[0-9a-f]{8}';
export const REDIRECT_URI = 'http://localhost:3000/wechat/callback?t=1';
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;
export const ACCESS_TOKEN_LIFETIME_MS = 7_200_000;

const running: WechatEmulator[] = [];

/** An emulator whose clock stands at {@link START} until a test turns it. */
export async function startEmulator(options: WechatEmulatorOptions = {}): Promise<WechatEmulator> {
  const wechat = await createWechatEmulator({ seed: 'test', now: START, ...options });
  running.push(wechat);
  return wechat;
}

export async function closeEmulators(): Promise<void> {
  await Promise.all(running.splice(0).map((wechat) => wechat.close()));
}

/** The first app's authorization request in the documented order; `undefined` leaves a parameter out. */
export function authorizeUrl(
  wechat: WechatEmulator,
  changes: Record<string, string | undefined> = {},
): string {
  const parameters = {
    appid: firstApp(wechat).appId,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'snsapi_base',
    state: 'abc123',
    ...changes,
  };
  return `${wechat.openBaseUrl}/connect/oauth2/authorize?${encode(parameters)}`;
}

export function encode(parameters: Record<string, string | undefined>): string {
  return Object.entries(parameters)
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

export function firstApp(wechat: WechatEmulator) {
  return defined(wechat.apps[0]);
}

export function user(wechat: WechatEmulator, index = 0) {
  return defined(wechat.users[index]);
}

export function defined<Value>(value: Value | null | undefined): Value {
  if (value === undefined || value === null) {
    throw new Error('Expected something, found nothing.');
  }
  return value;
}

export interface Page {
  status: number;
  location: string | null;
  headers: Headers;
  text: string;
}

/** One request, no redirect followed. */
export async function open(url: string, init: RequestInit = {}): Promise<Page> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  return {
    status: response.status,
    location: response.headers.get('location'),
    headers: response.headers,
    text: await response.text(),
  };
}

/** Presses a button of a consent page. */
export async function answer(wechat: WechatEmulator, page: Page, allow: '0' | '1'): Promise<Page> {
  const uuid = defined(/name="uuid" value="([^"]+)"/.exec(page.text)?.[1]);
  return open(`${wechat.openBaseUrl}/connect/oauth2/authorize_reply`, {
    method: 'POST',
    body: new URLSearchParams({ snsapi_userinfo: 'on', uuid, allow }),
  });
}

export function codeOf(page: Page): string {
  return defined(new URL(defined(page.location)).searchParams.get('code'));
}

/** Authorizes as the signed-in user, consenting where the page asks. @returns the code. */
export async function authorize(
  wechat: WechatEmulator,
  scope: 'snsapi_base' | 'snsapi_userinfo',
  changes: Record<string, string> = {},
): Promise<string> {
  const page = await open(authorizeUrl(wechat, { scope, ...changes }));
  return codeOf(page.location === null ? await answer(wechat, page, '1') : page);
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  openid: string;
  scope: string;
  unionid?: string;
  is_snapshotuser?: number;
}

export async function callToken(
  wechat: WechatEmulator,
  changes: Record<string, string | undefined>,
): Promise<Page> {
  const { appId, appSecret } = firstApp(wechat);
  const query = { appid: appId, secret: appSecret, code: 'x', grant_type: 'authorization_code', ...changes };
  return open(`${wechat.apiBaseUrl}/sns/oauth2/access_token?${encode(query)}`);
}

export async function callRefresh(
  wechat: WechatEmulator,
  changes: Record<string, string | undefined>,
): Promise<Page> {
  const query = {
    appid: firstApp(wechat).appId,
    grant_type: 'refresh_token',
    refresh_token: 'x',
    ...changes,
  };
  return open(`${wechat.apiBaseUrl}/sns/oauth2/refresh_token?${encode(query)}`);
}

export async function callUserInfo(wechat: WechatEmulator, tokens: Partial<Tokens>): Promise<Page> {
  const { access_token, openid } = tokens;
  return open(`${wechat.apiBaseUrl}/sns/userinfo?${encode({ access_token, openid, lang: 'zh_CN' })}`);
}

export async function callAuth(wechat: WechatEmulator, tokens: Partial<Tokens>): Promise<Page> {
  const { access_token, openid } = tokens;
  return open(`${wechat.apiBaseUrl}/sns/auth?${encode({ access_token, openid })}`);
}

/** The whole way from the authorization page to tokens. */
export async function signIn(
  wechat: WechatEmulator,
  scope: 'snsapi_base' | 'snsapi_userinfo',
  changes: Record<string, string> = {},
): Promise<Tokens> {
  const page = await callToken(wechat, { code: await authorize(wechat, scope, changes) });
  return JSON.parse(page.text) as Tokens;
}

export async function refresh(wechat: WechatEmulator, tokens: Tokens): Promise<Tokens> {
  const page = await callRefresh(wechat, { refresh_token: tokens.refresh_token });
  return JSON.parse(page.text) as Tokens;
}

/** @returns the `errcode` of an answer, or 0. */
export function errcodeOf(page: Page): number {
  return (JSON.parse(page.text) as { errcode?: number }).errcode ?? 0;
}

/** An authorization request for the profile, which asks the user unless there is a reason not to. */
export function askForProfile(
  wechat: WechatEmulator,
  changes: Record<string, string | undefined> = {},
): Promise<Page> {
  return open(authorizeUrl(wechat, { scope: 'snsapi_userinfo', ...changes }));
}

/** What the page says instead of going on: its text, and WeChat's number if it has one. */
export function errorOn({ status, location, headers, text }: Page): [text: string, number?: string] {
  if (status !== 200 || location !== null || !headers.get('content-type')?.startsWith('text/html')) {
    throw new Error(`Expected an error page, found ${String(status)} ${String(location)}:\n${text}`);
  }
  const [, number] = /错误码 (\d+)/.exec(text) ?? [];
  return [defined(/<h1>([^<]*)<\/h1>/.exec(text)?.[1]), ...(number === undefined ? [] : [number])] as [
    string,
  ];
}

/** The whole body of an error at {@link START}. */
export function errorBody(errcode: number, errmsg: string): RegExp {
  return new RegExp(`^\\{"errcode":${String(errcode)},"errmsg":"${errmsg}, ${RID_AT_START}"\\}$`);
}

/** A call of the API with no parameters but these. */
export function callSns(
  wechat: WechatEmulator,
  path: string,
  query: Record<string, string | undefined>,
  init?: RequestInit,
): Promise<Page> {
  return open(`${wechat.apiBaseUrl}/sns/${path}?${encode(query)}`, init);
}

/** What a callback carries, apart from what the redirect URI had itself. */
export function pathOf({ location }: Page): string {
  return defined(location).replace(/code=\w{32}/, 'code=CODE');
}

import { isLoopback } from '../../configuration/addresses.check.js';
import { Agent, request } from 'undici';
import { errorCodeOf } from '../../protocol/redaction.js';
import { classifyErrorCode, describeErrorCode } from '../../protocol/error-codes.js';
import { WechatClient } from '../../protocol/wechat.client.js';
import { WechatResponseError } from '../../protocol/wechat-response.error.js';
import { error, type Finding, notChecked, ok, warning } from './finding.js';
import type { Settings } from './settings.js';
import { hostOf, isRealApiBaseUrl, isRealOpenBaseUrl } from './wechat.addresses.js';

/** Looks like no code that WeChat has ever given. */
const MADE_UP_CODE = 'nestjs-wechat-auth-doctor';
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy', 'ALL_PROXY', 'all_proxy'];

export interface WechatReport {
  findings: Finding[];
  /** WeChat's clock minus this machine's, in milliseconds, to about a second; undefined without an answer. */
  aheadMs?: number;
}

/** Whether WeChat can be reached from here, and whether it takes the app id and the secret. */
export async function checkWechat(
  { openBaseUrl, apiBaseUrl, ...settings }: Settings,
  env: NodeJS.ProcessEnv,
  offline: boolean,
): Promise<WechatReport> {
  if (openBaseUrl === undefined || apiBaseUrl === undefined) {
    return { findings: [notChecked('wechat', 'WeChat', 'since its base URLs are wrong (see environment)')] };
  }
  const findings = checkPlaces(openBaseUrl, apiBaseUrl);
  if (offline) return { findings: [...findings, notChecked('wechat', 'WeChat', 'as --offline asks')] };
  const { requestTimeoutMs } = settings;
  const [open, api] = await Promise.all([
    knock(openBaseUrl, requestTimeoutMs),
    knock(apiBaseUrl, requestTimeoutMs),
  ]);
  findings.push(openFinding(openBaseUrl, open), apiFinding(apiBaseUrl, api));
  if (open.failure !== undefined || api.failure !== undefined)
    findings.push(...proxyFindings(env, apiBaseUrl));
  findings.push(
    api.failure === undefined
      ? await checkAccount(settings, openBaseUrl, apiBaseUrl)
      : notChecked('wechat', 'app id and secret', `since ${hostOf(apiBaseUrl)} cannot be reached`),
  );
  const aheadMs = api.aheadMs ?? open.aheadMs;
  return { findings, ...(aheadMs !== undefined && { aheadMs }) };
}

function checkPlaces(openBaseUrl: string, apiBaseUrl: string): Finding[] {
  const isRealApi = isRealApiBaseUrl(apiBaseUrl);
  if (isRealOpenBaseUrl(openBaseUrl)) {
    return isRealApi ? [] : [ok('wechat', `${hostOf(apiBaseUrl)} stands in the place of api.weixin.qq.com.`)];
  }
  // The settings themselves are refused then, under environment.
  if (isRealApi && isLoopback(new URL(openBaseUrl))) return [];
  if (!isRealApi) return [ok('wechat', `An emulator or a proxy stands in WeChat's place: ${openBaseUrl}.`)];
  return [
    warning(
      'wechat',
      `People are sent to ${hostOf(openBaseUrl)}, but codes are exchanged at ${hostOf(apiBaseUrl)}.`,
      'For an emulator set both WECHAT_OPEN_BASE_URL and WECHAT_API_BASE_URL; for WeChat itself leave both out.',
    ),
  ];
}

interface Answer {
  tookMs: number;
  failure?: string;
  aheadMs?: number;
}

/** Any answer will do: it shows the way is open, and tells the time. */
async function knock(baseUrl: string, timeoutMs: number): Promise<Answer> {
  const agent = new Agent({ connect: { timeout: timeoutMs } });
  const sentAt = Date.now();
  try {
    const { headers, body } = await request(`${baseUrl}/`, {
      dispatcher: agent,
      headers: { 'user-agent': 'nestjs-wechat-auth' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const tookMs = Date.now() - sentAt;
    // Nobody reads it, and its end comes as an error.
    body.on('error', () => undefined);
    const date = typeof headers.date === 'string' ? Date.parse(headers.date) : Number.NaN;
    // The header has whole seconds: half of one is the best guess at the rest.
    return { tookMs, ...(!Number.isNaN(date) && { aheadMs: date + 500 - (sentAt + tookMs / 2) }) };
  } catch (cause) {
    const tookMs = Date.now() - sentAt;
    const isTooLate = tookMs >= timeoutMs || errorCodeOf(cause) === 'UND_ERR_CONNECT_TIMEOUT';
    return {
      tookMs,
      failure: isTooLate ? `no answer within ${timeoutMs} ms` : (errorCodeOf(cause) ?? 'no HTTP'),
    };
  } finally {
    void agent.destroy();
  }
}

function apiFinding(baseUrl: string, { failure, tookMs }: Answer): Finding {
  const host = hostOf(baseUrl);
  if (failure === undefined) return ok('wechat', `The API, ${host}, answers (${tookMs} ms).`);
  return error(
    'wechat',
    `The API, ${host}, cannot be reached: ${failure}. Codes are exchanged and profiles read there.`,
    `Let this machine reach ${baseUrl}: name server, firewall, or WECHAT_API_BASE_URL if it is not meant.`,
  );
}

/** Only people's phones go there, so a server that cannot is none the worse. */
function openFinding(baseUrl: string, { failure, tookMs }: Answer): Finding {
  const host = hostOf(baseUrl);
  if (failure === undefined) return ok('wechat', `The pages for people, ${host}, answer (${tookMs} ms).`);
  return warning(
    'wechat',
    `The pages for people, ${host}, cannot be reached from here: ${failure}.`,
    "If people's phones can, this does no harm; else correct WECHAT_OPEN_BASE_URL.",
  );
}

function proxyFindings(env: NodeJS.ProcessEnv, apiBaseUrl: string): Finding[] {
  const name = PROXY_VARIABLES.find((variable) => env[variable]?.trim());
  if (name === undefined) return [];
  return [
    warning(
      'wechat',
      `${name} is set, but the module calls WeChat directly, not through a proxy of this kind.`,
      `Let this machine reach ${hostOf(apiBaseUrl)} directly, or set WECHAT_API_BASE_URL to a reverse proxy of yours that passes calls on to it.`,
    ),
  ];
}

/** One exchange with a code that cannot be right: what WeChat objects to first is the app id, then the secret. */
async function checkAccount(
  { account, requestTimeoutMs }: Pick<Settings, 'account' | 'requestTimeoutMs'>,
  openBaseUrl: string,
  apiBaseUrl: string,
): Promise<Finding> {
  if (!account)
    return notChecked('wechat', 'app id and secret', 'since they are missing or wrong (see environment)');
  const client = new WechatClient({ accounts: [account], openBaseUrl, apiBaseUrl, requestTimeoutMs });
  try {
    await client.authorizationCodeGrant({ code: MADE_UP_CODE });
    return error(
      'wechat',
      `${hostOf(apiBaseUrl)} gave tokens for a made-up code: that is not WeChat.`,
      'Correct WECHAT_API_BASE_URL, or leave it out for the real WeChat.',
    );
  } catch (failure) {
    if (!(failure instanceof WechatResponseError)) throw failure;
    return accountFinding(failure, account.appId);
  } finally {
    void client.close();
  }
}

function accountFinding(
  { errcode, errmsg = '', requestId, message }: WechatResponseError,
  appId: string,
): Finding {
  if (errcode === undefined) {
    return error(
      'wechat',
      message,
      'See what answers there: curl -i followed by the address, with /sns/oauth2/access_token at its end.',
    );
  }
  if (classifyErrorCode(errcode, 'token') === 'code') {
    return ok(
      'wechat',
      `WeChat knows the app id ${appId} and takes the secret (shown by an exchange of a made-up code).`,
    );
  }
  const id = requestId === undefined ? '' : ` (request id ${requestId})`;
  return error(
    'wechat',
    `WeChat refuses the account ${appId}: errcode ${errcode}, ${errmsg}${id}.`,
    describeErrorCode(errcode)?.cure.en ?? `See: npx nestjs-wechat-auth explain ${errcode}`,
  );
}

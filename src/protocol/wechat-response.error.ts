import { WechatError } from '../common/errors.js';
import type { WechatEndpoint, WechatErrorClass } from './error-code.entry.js';
import { classifyErrorCode, describeErrorCode, isRetryable } from './error-codes.js';
import { redact, toOneLine, toSafeCause } from './redaction.js';

export type { WechatEndpoint } from './error-code.entry.js';

/**
 * What went wrong:
 * - `wechat_error`: WeChat answered with an `errcode`, for example `{"errcode":40029,"errmsg":"invalid code"}`
 * - `timeout`: no complete answer within the time limit
 * - `unreachable`: no connection, a connection cut short, or HTTP 429 and 5xx without an `errcode`
 * - `malformed_response`: an answer that is not WeChat's, or lacks a field
 * - `response_too_large`: more bytes than any answer of WeChat has
 */
export type WechatResponseErrorCode =
  'wechat_error' | 'timeout' | 'unreachable' | 'malformed_response' | 'response_too_large';

export interface WechatResponseErrorInit {
  endpoint: WechatEndpoint;
  code: WechatResponseErrorCode;
  /** Only with `wechat_error`. */
  errcode?: number;
  /** WeChat's text as it came, with the request id that WeChat appends. */
  errmsg?: string;
  /** What happened, in words, where there is no `errcode`. */
  detail?: string;
  /** Default: from the catalogue for an `errcode`; `transient` for `timeout` and `unreachable`; else `unknown`. */
  class?: WechatErrorClass | 'unknown';
  /** Values of the request that must not turn up in any text of the error. */
  secrets?: readonly string[];
  cause?: unknown;
}

const CALL_IN_WORDS: Record<WechatEndpoint, string> = {
  token: 'the exchange of the authorization code',
  refresh: 'the refresh of the access token',
  userinfo: "the request for the user's profile",
  auth: 'the check of the access token',
};

const CURES: Record<Exclude<WechatResponseErrorCode, 'wechat_error'>, string> = {
  timeout:
    'Check that this machine can reach the API (DNS, firewall, proxy), or raise the request time limit (requestTimeoutMs).',
  unreachable: 'Check that this machine can reach the API: DNS, firewall, proxy, WECHAT_API_BASE_URL.',
  malformed_response:
    'Check that WECHAT_API_BASE_URL leads to WeChat and that no proxy in between answers in its place.',
  response_too_large:
    'Check that WECHAT_API_BASE_URL leads to WeChat and that no proxy in between answers in its place.',
};

/** Longest `errmsg` that is kept, in characters. */
const MAX_ERRMSG_CHARS = 300;

/** `, rid: 65c1-...` (today), `, hints: [ req_id: plAv... ]` (until about 2020), ` hint: [...]` (other endpoints). */
const REQUEST_ID = /[,\s]{0,4}(?:hints?:\s?\[\s?(?:req_id:\s?)?([\w@.~-]+)\s?\]|rid:\s?([\w.-]+))\s*$/i;

/**
 * A call of WeChat's API that brought no usable answer.
 *
 * `message` names the call, WeChat's code and text, the request id (tell it to WeChat's support) and a cure.
 * No text of this error, its `cause` included, holds the URL's query, a token, an authorization code, an app
 * secret or an openid: what went into the request is masked even where WeChat repeats it.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
export class WechatResponseError extends WechatError {
  declare readonly code: WechatResponseErrorCode;
  /** The call that failed. */
  readonly endpoint: WechatEndpoint;
  /** WeChat's error code; absent unless `code` is `wechat_error`. */
  readonly errcode?: number;
  /** WeChat's error text, masked, on one line, without the request id. */
  readonly errmsg?: string;
  /** WeChat's id of this request (`rid` or `req_id`), if it told one. */
  readonly requestId?: string;
  /**
   * Whether the same call may succeed later. An authorization code may be spent even if its exchange failed:
   * there "later" means a new authorization.
   */
  readonly retryable: boolean;
  /** The kind of failure, from the catalogue; `unknown` for codes it lacks and for answers that are not WeChat's. */
  readonly class: WechatErrorClass | 'unknown';

  constructor(init: WechatResponseErrorInit) {
    const secrets = init.secrets ?? [];
    const { errmsg, requestId } = splitErrmsg(redact(init.errmsg ?? '', secrets));
    super(
      init.code,
      composeMessage(init, errmsg, requestId, secrets),
      init.cause === undefined ? undefined : { cause: toSafeCause(init.cause, secrets) },
    );
    this.endpoint = init.endpoint;
    if (init.errcode !== undefined) {
      this.errcode = init.errcode;
      this.errmsg = errmsg;
    }
    if (requestId !== undefined) this.requestId = requestId;
    this.class = init.class ?? defaultClass(init);
    this.retryable = this.class !== 'unknown' && isRetryable(this.class);
  }
}

function defaultClass({ code, errcode, endpoint }: WechatResponseErrorInit): WechatErrorClass | 'unknown' {
  if (code === 'timeout' || code === 'unreachable') return 'transient';
  return (errcode === undefined ? undefined : classifyErrorCode(errcode, endpoint)) ?? 'unknown';
}

function splitErrmsg(text: string): { errmsg: string; requestId?: string } {
  // The id stands at the end: keep the end of what is too long, so that it is still found.
  const line = toOneLine(text);
  const found = REQUEST_ID.exec(line.slice(-MAX_ERRMSG_CHARS));
  const requestId = found?.[1] ?? found?.[2];
  const errmsg = (found ? line.slice(0, line.length - found[0].length) : line).slice(0, MAX_ERRMSG_CHARS);
  return requestId === undefined ? { errmsg } : { errmsg, requestId };
}

function composeMessage(
  init: WechatResponseErrorInit,
  errmsg: string,
  requestId: string | undefined,
  secrets: readonly string[],
): string {
  const call = CALL_IN_WORDS[init.endpoint];
  if (init.code !== 'wechat_error') {
    const detail = redact(toOneLine(init.detail ?? init.code), secrets);
    return `WeChat gave no usable answer to ${call}: ${detail}. ${CURES[init.code]}`;
  }
  const answer = [`errcode ${String(init.errcode)}`, errmsg].filter((part) => part !== '').join(', ');
  const id = requestId === undefined ? '' : ` (request id ${requestId})`;
  const cure = init.errcode === undefined ? undefined : describeErrorCode(init.errcode)?.cure.en;
  return `WeChat refused ${call}: ${answer}${id}.${cure === undefined ? '' : ` ${cure}`}`;
}

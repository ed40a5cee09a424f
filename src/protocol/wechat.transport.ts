import { EventEmitter } from 'node:events';
import { Pool, errors } from 'undici';
import { WechatConfigurationError } from '../common/errors.js';
import { parseUrl } from '../common/parsed-url.js';
import { errorCodeOf } from './redaction.js';
import {
  WechatResponseError,
  type WechatEndpoint,
  type WechatResponseErrorCode,
} from './wechat-response.error.js';

/** One call of WeChat's API, before it is sent. */
export interface WechatCall {
  endpoint: WechatEndpoint;
  /** Path below the base URL, for example `/sns/userinfo`. */
  path: string;
  /** The query, in the order it is sent. */
  query: Record<string, string>;
  /** The values of the query that no error may repeat. */
  secrets: readonly string[];
}

/** What came back, whatever it is. */
export interface WechatAnswer {
  status: number;
  /**
   * Decoded as UTF-8, whatever it says of itself. Broken bytes become U+FFFD: a nickname must not lock its owner out.
   */
  body: string;
}

export interface WechatTransportOptions {
  /** For example `https://api.weixin.qq.com`; a path in it stays in front of every call's path. */
  baseUrl: string;
  /** Time limit of a call, in milliseconds: from the call to the last byte, waiting for a connection included. */
  requestTimeoutMs: number;
}

/** WeChat's longest answers, profiles, are about 1 KiB. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * Above this number of calls at once the rest wait in line, within their time limit. With answers in 75 ms this
 * lets one process reach WeChat's own limit of 50,000 calls a minute.
 */
const MAX_CONNECTIONS = 64;

/**
 * GET over kept-alive connections to one origin, with a limit on time and on size. Knows nothing of what the
 * answers mean, follows no redirect and never repeats a call.
 */
export class WechatTransport {
  readonly #pool: Pool;
  readonly #basePath: string;
  readonly #host: string;
  readonly #requestTimeoutMs: number;

  constructor({ baseUrl, requestTimeoutMs }: WechatTransportOptions) {
    const url = parseBaseUrl(baseUrl, 'WECHAT_API_BASE_URL');
    this.#host = url.host;
    this.#basePath = url.pathname.replace(/\/+$/, '');
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#pool = new Pool(url.origin, {
      connections: MAX_CONNECTIONS,
      connect: { timeout: requestTimeoutMs },
      // The one limit below rules over these phases; a limit for each would add up to more.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: MAX_BODY_BYTES,
    });
  }

  /** @throws {WechatResponseError} `timeout`, `unreachable`, `response_too_large` or `malformed_response` (not HTTP) */
  async get(call: WechatCall): Promise<WechatAnswer> {
    // What undici needs of a signal, and no more: an AbortSignal costs half as much as the call.
    const limit = new EventEmitter();
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      limit.emit('abort');
    }, this.#requestTimeoutMs);
    try {
      const { statusCode, body } = await this.#pool.request({
        method: 'GET',
        path: `${this.#basePath}${call.path}?${new URLSearchParams(call.query).toString()}`,
        headers: { accept: 'application/json, text/plain, */*', 'user-agent': 'nestjs-wechat-auth' },
        signal: limit,
      });
      return { status: statusCode, body: await body.text() };
    } catch (error) {
      throw this.#failure(call, error, isOver);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for the calls in flight, then closes the connections. Later calls fail. */
  async close(): Promise<void> {
    if (!this.#pool.closed) await this.#pool.close();
  }

  #failure({ endpoint, secrets }: WechatCall, cause: unknown, timedOut: boolean): WechatResponseError {
    if (timedOut) {
      const detail = `no complete answer from ${this.#host} within ${String(this.#requestTimeoutMs)} ms`;
      return new WechatResponseError({ endpoint, code: 'timeout', detail, secrets });
    }
    const reason = errorCodeOf(cause);
    const [code, words] = describeFailure(cause, reason);
    const detail = `${words} ${this.#host}${reason === undefined ? '' : ` (${reason})`}`;
    return new WechatResponseError({ endpoint, code, detail, secrets, cause });
  }
}

/** @throws {WechatConfigurationError} unless `text` is an absolute http or https URL */
export function parseBaseUrl(text: string, variable: string): URL {
  const url = parseUrl(text);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url;
  throw new WechatConfigurationError([
    {
      problem: `${variable} is not an http or https URL.`,
      cure: `Set it to one, or leave it out to use WeChat itself.`,
    },
  ]);
}

function describeFailure(cause: unknown, reason: string | undefined): [WechatResponseErrorCode, string] {
  if (cause instanceof errors.HTTPParserError) return ['malformed_response', 'no HTTP in the answer of'];
  switch (reason) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return ['timeout', 'no connection in time to'];
    case 'UND_ERR_RES_EXCEEDED_MAX_SIZE':
      return ['response_too_large', `more than ${String(MAX_BODY_BYTES)} bytes from`];
    case 'UND_ERR_HEADERS_OVERFLOW':
      return ['response_too_large', 'too many header bytes from'];
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
      return ['unreachable', 'this client is closed and no longer calls'];
    default:
      return ['unreachable', 'no connection, or one that broke, to'];
  }
}

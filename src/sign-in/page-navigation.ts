import type { HttpExchange } from './http-exchange.js';

/**
 * Whether a person is on the way to this page, so that a redirect to WeChat gets there too. An XHR, a prefetch, a
 * frame or an image would follow a redirect into nothing.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function isPageNavigation(exchange: HttpExchange): boolean {
  if (exchange.method !== 'GET' || isPrefetch(exchange)) return false;
  const mode = exchange.header('sec-fetch-mode');
  const destination = exchange.header('sec-fetch-dest');
  if (mode !== undefined || destination !== undefined) {
    return mode === 'navigate' && destination === 'document';
  }
  // Web views older than these headers. Android's send their package name as X-Requested-With.
  return (
    (exchange.header('accept') ?? '').includes('text/html') &&
    exchange.header('x-requested-with')?.toLowerCase() !== 'xmlhttprequest'
  );
}

function isPrefetch(exchange: HttpExchange): boolean {
  return ['sec-purpose', 'purpose', 'x-moz'].some((name) => exchange.header(name)?.includes('prefetch'));
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** @see https://www.rfc-editor.org/rfc/rfc9110#name-safe-methods */
export function isSafeMethod(exchange: HttpExchange): boolean {
  return SAFE_METHODS.has(exchange.method);
}

/**
 * Whether an unsafe request comes from a page of ours. A client that is no browser sends no `Origin`; `null` comes
 * from our own pages where a referrer policy hides the origin.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6454#section-7
 */
export function isFromOwnOrigin(exchange: HttpExchange, ownOrigins: ReadonlySet<string>): boolean {
  const origin = exchange.header('origin');
  if (origin === undefined) return true;
  if (origin === 'null') return exchange.header('sec-fetch-site') === 'same-origin';
  return ownOrigins.has(origin);
}

/** Whether the browser is WeChat's. WeCom (`wxwork`) names itself MicroMessenger too, but signs in differently. */
export function isWechatBrowser(exchange: HttpExchange): boolean {
  const userAgent = exchange.header('user-agent') ?? '';
  return /micromessenger/i.test(userAgent) && !/wxwork/i.test(userAgent);
}

import { HttpAdapterHost } from '@nestjs/core';
import type { SerializeOptions } from 'cookie';
import type { PublicUrl } from '../common/public-url.js';
import { HttpExchange, HttpExchanges } from '../sign-in/http-exchange.js';

/** A cookie as a driver gives it to its browser: Playwright's `context.addCookies([...])`. */
export interface SessionCookie {
  name: string;
  /** As it goes over the wire. */
  value: string;
  /** Host name of the public URL. Open the page under this name: `localhost` is not `127.0.0.1`. */
  domain: string;
  path: string;
  httpOnly: boolean;
  /** On an https public URL; a browser then sends it over https alone. */
  secure: boolean;
  sameSite: 'Strict' | 'Lax' | 'None';
}

const SAME_SITE = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

/** @param attributes as they were set; what is missing has the browsers' default. */
export function sessionCookie(
  name: string,
  value: string,
  { domain, path = '/', httpOnly = false, secure = false, sameSite }: SerializeOptions,
  publicUrl: PublicUrl,
): SessionCookie {
  return {
    name,
    value,
    domain: domain ?? new URL(publicUrl.origin).hostname,
    path,
    httpOnly,
    secure,
    sameSite: typeof sameSite === 'string' ? SAME_SITE[sameSite] : 'Lax',
  };
}

/** @returns the value of a `Cookie` header. */
export function cookieHeader(cookies: readonly Pick<SessionCookie, 'name' | 'value'>[]): string {
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
}

/** Stands where a platform's request and response would, and keeps the cookies that it is told to set. */
export class CookieCollector extends HttpExchanges {
  readonly cookies: { name: string; value: string; options: SerializeOptions }[] = [];
  private readonly exchange = new CollectingExchange(this.cookies);

  constructor() {
    super(new HttpAdapterHost());
  }

  override of(): HttpExchange {
    return this.exchange;
  }
}

class CollectingExchange extends HttpExchange {
  constructor(private readonly collected: CookieCollector['cookies']) {
    super(new HttpAdapterHost(), { headers: {} }, undefined);
  }

  override setCookie(name: string, value: string, options: SerializeOptions): void {
    this.collected.push({ name, value, options });
  }
}

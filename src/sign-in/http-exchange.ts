import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type SerializeOptions, parseCookie, stringifySetCookie } from 'cookie';

/** What Express's and Fastify's requests have in common, as far as it is read here. */
interface PlatformRequest {
  method: string;
  originalUrl: string;
  /** Express: without what was stripped on the way. Fastify: after `rewriteUrl`. */
  url: string;
  /** Express: what was stripped on the way. */
  baseUrl?: string;
  headers: Record<string, string | string[] | undefined>;
}

/** What the guard and the controller answer with. */
export type Answer =
  | { kind: 'redirect'; status: 302 | 303; url: string }
  | { kind: 'page'; status: number; html: string; contentSecurityPolicy: string }
  | { kind: 'problem'; status: number; body: ProblemDetails; wwwAuthenticate?: string }
  | { kind: 'empty'; status: 204 };

/** @see https://www.rfc-editor.org/rfc/rfc9457 */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  /** Stable, for programs. */
  code: string;
  [extension: string]: unknown;
}

/** One request and its response, the same on every platform that Nest runs on. */
export class HttpExchange {
  private parsedCookies: Record<string, string | undefined> | undefined;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    readonly request: unknown,
    readonly response: unknown,
  ) {}

  get method(): string {
    return this.platformRequest.method.toUpperCase();
  }

  /** Path and query, as this application sees them. */
  get url(): string {
    return this.platformRequest.originalUrl;
  }

  /**
   * The beginning of {@link url} that is gone before routes are looked for: where a larger Express application mounts
   * this one, or what Fastify's `rewriteUrl` takes off. Mostly empty.
   */
  get strippedPath(): string {
    const { originalUrl, url, baseUrl } = this.platformRequest;
    if (baseUrl !== undefined) return baseUrl;
    return originalUrl.endsWith(url) ? originalUrl.slice(0, -url.length) : '';
  }

  query(name: string): string | undefined {
    // Platforms parse queries differently, and hosts replace the parsers.
    const start = this.url.indexOf('?');
    if (start < 0) return undefined;
    return new URLSearchParams(this.url.slice(start)).get(name) ?? undefined;
  }

  header(name: string): string | undefined {
    const value = this.platformRequest.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  cookie(name: string): string | undefined {
    this.parsedCookies ??= parseCookie(this.header('cookie') ?? '');
    return this.parsedCookies[name];
  }

  setCookie(name: string, value: string, options: SerializeOptions): void {
    this.adapterHost.httpAdapter.appendHeader(
      this.response,
      'Set-Cookie',
      stringifySetCookie(name, value, options),
    );
  }

  setHeader(name: string, value: string): void {
    this.adapterHost.httpAdapter.setHeader(this.response, name, value);
  }

  /** Sets the headers of an answer, which hold whoever then writes the status and the body. */
  setHeadersOf(answer: Answer): void {
    this.setHeader('Cache-Control', 'no-store');
    this.setHeader('Referrer-Policy', 'same-origin');
    if (answer.kind === 'redirect') this.setHeader('Location', answer.url);
    if (answer.kind === 'page') {
      this.setHeader('Content-Type', 'text/html; charset=utf-8');
      this.setHeader('Content-Security-Policy', answer.contentSecurityPolicy);
      this.setHeader('X-Content-Type-Options', 'nosniff');
    }
    if (answer.kind === 'problem') {
      this.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
      if (answer.wwwAuthenticate) this.setHeader('WWW-Authenticate', answer.wwwAuthenticate);
    }
  }

  send(answer: Answer): void {
    this.setHeadersOf(answer);
    this.sendBodyOf(answer);
  }

  sendBodyOf(answer: Answer): void {
    this.adapterHost.httpAdapter.reply(this.response, bodyOf(answer), answer.status);
  }

  private get platformRequest(): PlatformRequest {
    return this.request as PlatformRequest;
  }
}

/** Makes {@link HttpExchange}s; the platform is known only once the application is. */
@Injectable()
export class HttpExchanges {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  of(request: unknown, response: unknown): HttpExchange {
    return new HttpExchange(this.adapterHost, request, response);
  }
}

function bodyOf(answer: Answer): string {
  if (answer.kind === 'page') return answer.html;
  if (answer.kind === 'problem') return JSON.stringify(answer.body);
  return '';
}

import { Inject, Injectable, RequestMethod } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { parseUrl } from '../common/parsed-url.js';
import type { PublicUrl } from '../common/public-url.js';
import type { HttpExchange } from './http-exchange.js';
import { modulePathOf } from './module-path.js';

/** The return path travels inside the redirect URI, which must not grow without bound. */
const MAX_RETURN_PATH_BYTES = 1024;

/** The module's own routes, below its path. */
export type SignInRoute = 'sign-in' | 'callback' | 'consent' | 'sign-out';

/** Addresses as people's browsers see them. They come from the configuration, never from a request. */
@Injectable()
export class PublicUrls {
  /** Origins whose pages may send unsafe requests. */
  readonly ownOrigins: ReadonlySet<string>;

  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(ApplicationConfig) private readonly application: ApplicationConfig,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {
    this.ownOrigins = new Set([...options.publicUrls.map(({ origin }) => origin), ...options.allowedOrigins]);
  }

  /** @returns the public URL that a request came by; undefined if there are several and none matches. */
  of(exchange: HttpExchange): PublicUrl | undefined {
    const [first, ...others] = this.options.publicUrls;
    if (others.length === 0) return first;
    // HTTP/2 has its own header for it.
    const host = exchange.header('host') ?? exchange.header(':authority');
    return this.options.publicUrls.find((publicUrl) => publicUrl.host === host);
  }

  /** @returns the entry that {@link publicUrlId} names, if it is still configured. */
  byId(id: string): PublicUrl | undefined {
    return this.options.publicUrls.find((publicUrl) => publicUrlId(publicUrl) === id);
  }

  /** @returns the address of one of the module's own routes, without parameters that are undefined. */
  route(publicUrl: PublicUrl, route: SignInRoute, query: Record<string, string | undefined> = {}): string {
    const path = `${this.modulePath()}${this.options.path}/${route}`;
    const url = new URL(publicUrl.origin);
    url.pathname = publicUrl.basePath + this.globalPrefixOf(path) + path;
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return url.href;
  }

  /** @returns the application's start page. */
  startPage({ origin, basePath }: PublicUrl): string {
    return `${origin}${basePath}/`;
  }

  /** @returns path and query of a request, as the browser has them. */
  returnPathOf(exchange: HttpExchange, publicUrl: PublicUrl): string {
    return this.checkedReturnPath(pathOf(exchange, publicUrl), publicUrl);
  }

  /** Whether somebody who is sent to WeChat comes out where the request is for, and not at the start page instead. */
  canReturnTo(exchange: HttpExchange, publicUrl: PublicUrl): boolean {
    const startPage = `${publicUrl.basePath}/`;
    return this.returnPathOf(exchange, publicUrl) !== startPage || pathOf(exchange, publicUrl) === startPage;
  }

  /**
   * @param returnTo a path, or an address below the same origin, that somebody asks to be sent to.
   * @returns it as a path; the start page if it is missing, leads elsewhere, or is longer than 1,024 bytes.
   */
  checkedReturnPath(returnTo: string | undefined, publicUrl: PublicUrl): string {
    const startPage = `${publicUrl.basePath}/`;
    const url = returnTo === undefined ? undefined : parseUrl(returnTo, publicUrl.origin);
    if (!url) return startPage;
    const path = url.pathname + url.search + url.hash;
    // What looks like a path may still name a host: `//evil.example`, `/\evil.example`, `/.//evil.example`.
    const staysHere = url.origin === publicUrl.origin && /^\/(?!\/)/.test(path);
    return staysHere && Buffer.byteLength(path) <= MAX_RETURN_PATH_BYTES ? path : startPage;
  }

  /** What the host puts in front of all paths of this module. */
  private modulePath(): string {
    const ours = [...this.modules.values()].find(({ providers }) => providers.has(PublicUrls));
    return ours ? modulePathOf(ours.metatype, this.modules) : '';
  }

  /** What the host puts in front of this path: its global prefix, unless it has excluded the path from that. */
  private globalPrefixOf(path: string): string {
    const prefix = this.application.getGlobalPrefix().replace(/^\/+|\/+$/g, '');
    const { exclude = [] } = this.application.getGlobalPrefixOptions();
    const isExcluded = exclude.some(
      ({ pathRegex, requestMethod }) =>
        [RequestMethod.ALL, RequestMethod.GET].includes(requestMethod) && pathRegex.test(path),
    );
    return prefix === '' || isExcluded ? '' : `/${prefix}`;
  }
}

/** As the browser has it, unchecked. */
function pathOf({ url, strippedPath }: HttpExchange, { basePath }: PublicUrl): string {
  // A path that the application itself strips is a part of the public URL's, and not below it.
  return basePath + (basePath.endsWith(strippedPath) ? url.slice(strippedPath.length) : url);
}

/** Names a public URL in sealed texts and digests. */
export function publicUrlId({ origin, basePath }: PublicUrl): string {
  return origin + basePath;
}

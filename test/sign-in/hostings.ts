import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastifyHelmet from '@fastify/helmet';
import { type INestApplication, VersioningType } from '@nestjs/common';
import { NestApplication } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import helmet from 'helmet';
import type { Platform, TestInstance, TestWorldOptions } from '../support/test-app.js';
import { ReverseProxy } from './reverse-proxy.js';

/** Missing from the types of older releases. */
interface SecurityHeaders {
  useSecurityHeaders: () => { enableCsrfProtection: () => INestApplication };
}

/** Public addresses that no machine has: a visitor is told where they are. */
export const SHOP = 'https://shop.example.com/shop';
export const MOBILE = 'https://m.example.com';

/** What answers at the public address in the application's place. */
export interface Front {
  /** Where it listens. */
  origin: string;
  close(): Promise<void>;
}

/** A way to put an application on the web. */
export interface Hosting {
  /** Says where the sign-in happens. */
  name: string;
  options?: (platform: Platform) => TestWorldOptions;
  /** Where people reach the application; by default at its own address. */
  publicUrl?: string;
  /** Stands before the application; by default nothing does. */
  front?: (site: TestInstance, platform: Platform) => Promise<Front>;
  /** What people's browsers send besides. */
  visitorHeaders?: Record<string, string>;
  /** What stands before the paths of the host's routes, below the public URL. Default: nothing. */
  hostPath?: string;
  /** Path of the module's routes, below the public URL. Default: `/wechat`. */
  modulePath?: string;
}

const behindProxy: Pick<Hosting, 'publicUrl' | 'front'> = {
  publicUrl: SHOP,
  front: proxy({ basePath: '/shop', forwardedProto: 'https' }),
};

export const HOSTINGS: readonly Hosting[] = [
  { name: 'at its own address' },
  {
    name: 'with the option path',
    options: () => ({ module: { path: 'auth/weixin/' } }),
    modulePath: '/auth/weixin',
  },
  {
    name: 'with a global prefix',
    options: () => ({ configure: (app) => app.setGlobalPrefix('api') }),
    hostPath: '/api',
    modulePath: '/api/wechat',
  },
  {
    name: 'with a global prefix written with slashes',
    options: () => ({ configure: (app) => app.setGlobalPrefix('/api/v2/') }),
    hostPath: '/api/v2',
    modulePath: '/api/v2/wechat',
  },
  {
    name: 'with a global prefix that leaves the module out',
    options: () => ({ configure: (app) => app.setGlobalPrefix('api', { exclude: ['wechat/*route'] }) }),
    hostPath: '/api',
  },
  {
    name: "with a global prefix that leaves the host's pages out",
    options: () => ({
      configure: (app) => app.setGlobalPrefix('api', { exclude: ['hello', 'me', 'direct', 'public'] }),
    }),
    modulePath: '/api/wechat',
  },
  {
    name: 'with versions in the address',
    options: () => ({
      configure: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: ['1', '2'] }),
    }),
    hostPath: '/v2',
  },
  {
    name: 'with versions in a header',
    options: () => ({
      configure: (app) => app.enableVersioning({ type: VersioningType.HEADER, header: 'x-version' }),
    }),
  },
  {
    name: 'behind a proxy that strips a path',
    ...behindProxy,
  },
  {
    name: 'behind a proxy that strips a path, and is trusted',
    ...behindProxy,
    options: trustingProxy,
  },
  {
    name: 'behind a proxy that strips a path and keeps the Host header',
    publicUrl: SHOP,
    front: proxy({ basePath: '/shop', keepsHost: true, forwardedProto: 'https' }),
  },
  {
    name: 'behind a proxy that is trusted with headers that the client forged',
    publicUrl: SHOP,
    front: proxy({ basePath: '/shop', keepsHost: true }),
    options: trustingProxy,
    visitorHeaders: {
      forwarded: 'for=1.2.3.4;host=evil.example;proto=http',
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-port': '8080',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-proto': 'http',
      'x-original-url': '//evil.example/',
      'x-rewrite-url': '//evil.example/',
    },
  },
  {
    name: 'under the second of two public addresses',
    options: () => ({ module: { publicUrl: `${SHOP},${MOBILE}` } }),
    publicUrl: MOBILE,
    front: proxy({ keepsHost: true, forwardedProto: 'https' }),
  },
  {
    name: 'below a path that the application strips itself',
    options: (platform) => (platform === 'fastify' ? { adapter: new FastifyAdapter({ rewriteUrl }) } : {}),
    publicUrl: SHOP,
    front: (site, platform) => (platform === 'fastify' ? directly(site) : mounted(site, '/shop')),
  },
  {
    name: 'with helmet',
    options: (platform) => ({ configure: (app) => useHelmet(app, platform) }),
  },
  {
    name: 'with helmet as a middleware',
    options: () => ({ configure: (app) => app.use(helmet()) }),
  },
  // Nest has these since 12.5.
  ...('useSecurityHeaders' in NestApplication.prototype
    ? [
        {
          name: "with Nest's security headers and its protection against cross-site requests",
          options: () => ({
            configure: (app: INestApplication) =>
              (app as INestApplication & SecurityHeaders).useSecurityHeaders().enableCsrfProtection(),
          }),
        },
      ]
    : []),
  {
    name: 'among middleware that sets a cookie',
    options: () => ({ configure: (app) => app.use(setCookieOfTheHost) }),
  },
  {
    name: 'with a proxy, a prefix, versions, a path and helmet at once',
    ...behindProxy,
    options: (platform) => ({
      ...trustingProxy(platform),
      module: { path: '/weixin' },
      configure: async (app) => {
        trust(app, platform);
        await useHelmet(app, platform);
        app.setGlobalPrefix('api').enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
      },
    }),
    hostPath: '/api/v2',
    modulePath: '/api/weixin',
  },
];

/**
 * Helmet as its documentation says for each platform, with nothing set.
 *
 * @param formActions where forms may lead to besides the site itself.
 */
export async function useHelmet(
  app: INestApplication,
  platform: Platform,
  formActions: readonly string[] = [],
): Promise<void> {
  const options = formActions.length > 0 && {
    contentSecurityPolicy: { directives: { formAction: ["'self'", ...formActions] } },
  };
  if (platform === 'fastify') await (app as NestFastifyApplication).register(fastifyHelmet, { ...options });
  else app.use(helmet({ ...options }));
}

/** What makes the platform believe `X-Forwarded-*`. */
export function trustingProxy(platform: Platform): TestWorldOptions {
  return platform === 'fastify'
    ? { adapter: new FastifyAdapter({ trustProxy: true }) }
    : {
        configure: (app) => {
          trust(app, platform);
        },
      };
}

/** On Fastify an option of the adapter says so. */
function trust(app: INestApplication, platform: Platform): void {
  if (platform === 'express') (app as NestExpressApplication).set('trust proxy', true);
}

function proxy(options: Parameters<typeof ReverseProxy.start>[0]): NonNullable<Hosting['front']> {
  return async (site) => {
    const front = await ReverseProxy.start(options);
    front.target = site.url;
    return front;
  };
}

/** The application as a part of a larger Express application. */
async function mounted(site: TestInstance, path: string): Promise<Front> {
  const outer = new ExpressAdapter();
  outer.use(path, (site.app as NestExpressApplication).getHttpAdapter().getInstance());
  const server = createServer(outer.getInstance<RequestListener>());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function directly(site: TestInstance): Promise<Front> {
  return Promise.resolve({ origin: site.url, close: () => Promise.resolve() });
}

function rewriteUrl({ url = '/' }: { url?: string }): string {
  return url.replace(/^\/shop(?=\/)/, '');
}

function setCookieOfTheHost(_request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.setHeader('Set-Cookie', 'host=1; Path=/');
  next();
}

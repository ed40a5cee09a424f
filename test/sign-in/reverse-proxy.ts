import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReverseProxyOptions {
  /** Addresses below this path are passed on without it, all others are unknown. Default: none. */
  basePath?: string;
  /** Passes on the `Host` that the browser sent. Otherwise the application sees the address that the proxy calls it by. */
  keepsHost?: boolean;
  /** Writes `X-Forwarded-*`, with this as the scheme. Otherwise it passes on whatever the client sent. */
  forwardedProto?: 'http' | 'https';
}

/** What stands before an application in production: it has the public address, and may strip a path. */
export class ReverseProxy {
  /** Where requests go, for example `http://127.0.0.1:3000`. */
  target = '';
  readonly basePath: string;

  private constructor(
    private readonly server: Server,
    /** Its own address, without the path. */
    readonly origin: string,
    private readonly options: ReverseProxyOptions,
  ) {
    this.basePath = options.basePath ?? '';
  }

  static async start(options: ReverseProxyOptions = {}): Promise<ReverseProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const proxy = new ReverseProxy(server, `http://127.0.0.1:${port}`, options);
    proxy.serve();
    return proxy;
  }

  get url(): string {
    return this.origin + this.basePath;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(): void {
    this.server.on('request', (incoming, outgoing) => {
      const url = incoming.url ?? '/';
      if (!url.startsWith(`${this.basePath}/`)) {
        outgoing.writeHead(404).end('not below the path of the application');
        return;
      }
      const forwarded = request(
        this.target,
        {
          path: url.slice(this.basePath.length),
          method: incoming.method,
          headers: this.headersFor(incoming.headers),
          agent: false,
        },
        (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        },
      );
      forwarded.on('error', () => outgoing.writeHead(502).end('the application does not answer'));
      incoming.pipe(forwarded);
    });
  }

  private headersFor({ host, ...headers }: IncomingHttpHeaders): IncomingHttpHeaders {
    const { keepsHost, forwardedProto } = this.options;
    return {
      ...headers,
      ...(keepsHost && { host }),
      ...(forwardedProto && {
        'x-forwarded-for': '203.0.113.7',
        'x-forwarded-host': host,
        'x-forwarded-proto': forwardedProto,
      }),
    };
  }
}

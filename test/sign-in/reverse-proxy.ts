import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands before an application in production: it has the public address, and may strip a path. */
export class ReverseProxy {
  /** Where requests go, for example `http://127.0.0.1:3000`. */
  target = '';

  private constructor(
    private readonly server: Server,
    /** Its own address, without the path. */
    readonly origin: string,
    /** Addresses below this path are passed on without it, all others are unknown. */
    readonly basePath: string,
  ) {}

  static async start(basePath = ''): Promise<ReverseProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const proxy = new ReverseProxy(server, `http://127.0.0.1:${port}`, basePath);
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
      const { host: _, ...headers } = incoming.headers;
      const forwarded = request(
        this.target,
        {
          path: url.slice(this.basePath.length),
          method: incoming.method,
          headers: { ...headers, 'x-forwarded-host': new URL(this.origin).host },
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
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An instance that requests can go to. */
export interface Target {
  /** For example `http://127.0.0.1:3000`. */
  readonly url: string;
}

/** The header by which the balancer says that it is itself who answers, since the instance is gone. */
export const GONE_HEADER = 'x-instance-gone';

/**
 * What stands before the instances: each request goes to the next one in turn, wherever the one before went. A request
 * whose instance dies before it has answered in full is answered with 502 and not repeated, as everywhere.
 */
export class Balancer<Instance extends Target> {
  /** Where requests may go. */
  targets: readonly Instance[] = [];
  private turn = 0;
  private readonly watchers = new Set<(path: string, target: Instance) => void>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start<Instance extends Target>(): Promise<Balancer<Instance>> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const balancer = new Balancer<Instance>(server, `http://127.0.0.1:${String(port)}`);
    server.on('request', (incoming, outgoing) => balancer.pass(incoming, outgoing));
    return balancer;
  }

  /** @returns the next instance that is sent a request with this beginning. */
  next(path: string): Promise<Instance> {
    return new Promise((resolve) => {
      const watcher = (seen: string, target: Instance): void => {
        if (!seen.startsWith(path)) return;
        this.watchers.delete(watcher);
        resolve(target);
      };
      this.watchers.add(watcher);
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const target = this.targets[this.turn++ % this.targets.length];
    const gone = (): void => {
      outgoing.writeHead(502, { [GONE_HEADER]: 'yes' }).end('The instance is gone.');
    };
    if (!target) {
      gone();
      return;
    }
    const path = incoming.url ?? '/';
    const { method, headers } = incoming;
    const forwarded = request(target.url, { path, method, headers, agent: false }, (answer) => {
      // As a whole or not at all.
      answer.toArray().then((chunks: Buffer[]) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders).end(Buffer.concat(chunks));
      }, gone);
    });
    forwarded.on('error', gone);
    incoming.pipe(forwarded);
    for (const watcher of this.watchers) watcher(path, target);
  }
}

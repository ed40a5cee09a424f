import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before WeChat's API, and holds its answers back until it is told to let them go. */
export class AnswerGate {
  /** How many requests have come; WeChat has done their work. */
  arrived = 0;
  private isClosed = false;
  private held: (() => void)[] = [];
  private watchers: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** @param origin WeChat's. */
  static async start(origin: string): Promise<AnswerGate> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const gate = new AnswerGate(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (incoming, outgoing) => {
      const forwarded = request(origin + (incoming.url ?? '/'), { agent: false }, (answer) => {
        gate.note(() => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
      });
      forwarded.end();
    });
    return gate;
  }

  /** From now on no answer goes through. */
  shut(): void {
    this.isClosed = true;
    this.arrived = 0;
  }

  /** Lets go what is held, and all that comes. */
  open(): void {
    this.isClosed = false;
    for (const letGo of this.held.splice(0)) letGo();
  }

  /** Waits until so many requests have come since it was shut. */
  async until(count: number): Promise<void> {
    while (this.arrived < count) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  async close(): Promise<void> {
    this.open();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private note(letGo: () => void): void {
    this.arrived += 1;
    if (this.isClosed) this.held.push(letGo);
    else letGo();
    for (const wake of this.watchers.splice(0)) wake();
  }
}

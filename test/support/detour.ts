import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A call that is kept waiting. */
export interface HeldCall {
  /** Resolves when the call is there, and waits. */
  readonly isWaiting: Promise<void>;
  /** Lets the call go on. */
  release(): void;
}

interface Hold {
  path: string;
  when: 'before' | 'after';
  arrive: () => void;
  released: Promise<void>;
}

/** A way to a server on which a test keeps single calls waiting: before the server gets them, or after it has answered. */
export class Detour {
  private readonly holds: Hold[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async to(target: string): Promise<Detour> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const detour = new Detour(server, `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
    server.on('request', (incoming, outgoing) => {
      const { pathname } = new URL(incoming.url ?? '/', detour.url);
      const index = detour.holds.findIndex(({ path }) => path === pathname);
      const [hold] = index < 0 ? [] : detour.holds.splice(index, 1);
      void (async () => {
        if (hold?.when === 'before') await waitIn(hold);
        const onward = forward(
          target + (incoming.url ?? '/'),
          { method: incoming.method ?? 'GET' },
          (answer) => {
            void (async () => {
              if (hold?.when === 'after') await waitIn(hold);
              outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
              answer.pipe(outgoing);
            })();
          },
        );
        onward.on('error', () => outgoing.destroy());
        onward.end();
      })();
    });
    return detour;
  }

  /** Keeps the next call of this path waiting. */
  hold(path: string, when: Hold['when']): HeldCall {
    let arrive!: () => void;
    let release!: () => void;
    const isWaiting = new Promise<void>((resolve) => (arrive = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    this.holds.push({ path, when, arrive, released });
    return { isWaiting, release };
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

async function waitIn({ arrive, released }: Hold): Promise<void> {
  arrive();
  await released;
}

import { connect, type Socket } from 'node:net';
import { type Route, VISITORS } from './route.js';

const END_OF_HEAD = '\r\n\r\n';

/**
 * Asks at a fixed pace, whether or not the answers keep up. Latency counts from the instant at which a request was
 * due, so that a slow answer shows in every request that had to wait behind it.
 *
 * autocannon's own rate limit sends each second's requests in one burst, which is no half load.
 *
 * @returns the 99th percentile of the latency, in milliseconds.
 */
export async function latencyP99Of(
  route: Route,
  requestsPerSecond: number,
  durationMs: number,
): Promise<number> {
  const connections = await Promise.all(
    route.visitors.slice(0, VISITORS).map((headers) => Connection.open(route.url, headers)),
  );
  const total = Math.floor((requestsPerSecond * durationMs) / 1000);
  try {
    const latencies = await pace(connections, total, 1000 / requestsPerSecond);
    return latencies.sort()[Math.ceil(latencies.length * 0.99) - 1] ?? NaN;
  } finally {
    for (const connection of connections) connection.close();
  }
}

/** Sends as many requests, one each interval, over whichever connection is free. */
function pace(connections: Connection[], total: number, intervalMs: number): Promise<Float64Array> {
  return new Promise((resolve, reject) => {
    const latencies = new Float64Array(total);
    const free = [...connections];
    const startedAt = performance.now();
    let sent = 0;
    let answered = 0;
    const turn = (): void => {
      const due = Math.min(total, Math.floor((performance.now() - startedAt) / intervalMs) + 1);
      let connection: Connection | undefined;
      while (sent < due && (connection = free.pop())) {
        const number = sent++;
        const used = connection;
        used.ask((error) => {
          if (error) {
            reject(error);
            return;
          }
          latencies[number] = performance.now() - (startedAt + number * intervalMs);
          free.push(used);
          if (++answered === total) resolve(latencies);
        });
      }
      // A timer would be a millisecond late, which is longer than most answers take.
      if (sent < total) setImmediate(turn);
    };
    turn();
  });
}

/** One kept-alive connection that asks the same again and again, with as little work as can be. */
class Connection {
  private received = '';
  private onAnswer: ((error?: Error) => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly request: Buffer,
  ) {
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => this.receive(chunk));
    socket.on('error', (error) => this.onAnswer?.(error));
    socket.on('close', () => this.onAnswer?.(new Error('The application closed a connection under load.')));
  }

  static open(url: string, headers: Record<string, string>): Promise<Connection> {
    const { hostname, port, host, pathname } = new URL(url);
    const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
    const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => resolve(new Connection(socket, request)));
      socket.once('error', reject);
    });
  }

  ask(onAnswer: (error?: Error) => void): void {
    this.onAnswer = onAnswer;
    this.socket.write(this.request);
  }

  close(): void {
    this.onAnswer = undefined;
    this.socket.destroy();
  }

  private receive(chunk: string): void {
    this.received += chunk;
    const headEnd = this.received.indexOf(END_OF_HEAD);
    if (headEnd < 0) return;
    const [, length = '0'] = /\r\ncontent-length: (\d+)/i.exec(this.received) ?? [];
    if (this.received.length < headEnd + END_OF_HEAD.length + Number(length)) return;
    const isOk = this.received.startsWith('HTTP/1.1 200 ');
    const onAnswer = this.onAnswer;
    const [statusLine] = this.received.split('\r\n', 1);
    this.received = '';
    this.onAnswer = undefined;
    onAnswer?.(isOk ? undefined : new Error(`The application answered "${String(statusLine)}" under load.`));
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { WechatEmulatorError } from './emulator.errors.js';
import { EmulatorRequest, type EmulatorResponse } from './http.messages.js';

const FORM_LIMIT_BYTES = 64 * 1024;

/** An answer, and how it is delivered. */
export interface Delivery {
  readonly response: EmulatorResponse;
  /** `hang`: never. `cut`: the first half, then the connection ends. A number: after so many milliseconds. */
  readonly manner: 'now' | 'hang' | 'cut' | number;
}

/** Answers a request in its own way and its own time. The body of a form has been read by then, any other has not. */
export type Takeover = (message: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on 127.0.0.1, over TLS if it is given a certificate, that can misbehave, and that stops at once. */
export class LoopbackServer {
  private readonly server: Server;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly answer: (request: EmulatorRequest) => Delivery | Takeover,
    private readonly tls?: { readonly key: string; readonly cert: string },
  ) {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const hasForm = request.method === 'POST' && isForm(request);
      if (!hasForm) this.serve(request, '', response);
      else
        void readBody(request).then(
          (form) => this.serve(request, form, response),
          () => response.destroy(),
        );
    };
    this.server = tls ? createTlsServer({ key: tls.key, cert: tls.cert }, listener) : createServer(listener);
    // WeChat names no time after which it ends a connection that is kept alive; a timer for each answer costs, too.
    this.server.keepAliveTimeout = 0;
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** @returns the origin it listens on. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, '127.0.0.1', () => {
        this.server.off('error', reject);
        resolve();
      });
    }).catch((cause: unknown) => {
      throw new WechatEmulatorError(
        'emulator_port',
        `The emulator cannot listen on port ${String(port)} of 127.0.0.1 (${String(cause)}). Choose another port, or 0 for any free one.`,
        { cause },
      );
    });
    const scheme = this.tls ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    this.timers.forEach(clearTimeout);
    this.timers.clear();
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
      // Not by closeAllConnections(), which leaves out those that have not finished their TLS handshake.
      this.sockets.forEach((socket) => socket.destroy());
    });
  }

  private serve(message: IncomingMessage, form: string, response: ServerResponse): void {
    try {
      const answer = this.answer(new EmulatorRequest(message, form));
      if (typeof answer === 'function') answer(message, response);
      else this.deliver(answer, response);
    } catch (error) {
      // A defect, to be shown to the developer.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      send(response, {
        status: 500,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: `The emulator failed.\n${text}`,
      });
    }
  }

  private deliver({ response: answer, manner }: Delivery, response: ServerResponse): void {
    if (manner === 'hang') return;
    const deliver = manner === 'cut' ? cut : send;
    const delayMs = (answer.delayMs ?? 0) + (typeof manner === 'number' ? manner : 0);
    if (delayMs === 0) {
      deliver(response, answer);
      return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      deliver(response, answer);
    }, delayMs);
    this.timers.add(timer);
  }
}

function send(response: ServerResponse, answer: EmulatorResponse): void {
  writeHead(response, answer);
  response.end(answer.body);
}

/** With a list, which Node.js takes as it is; a copy of the object would be a tenth of a call's time. */
function writeHead(response: ServerResponse, { status, headers, body }: EmulatorResponse): void {
  const list = ['content-length', String(Buffer.byteLength(body))];
  for (const name in headers) list.push(name, headers[name] ?? '');
  response.writeHead(status, list);
}

/** Half of the body, then the end of the connection; an answer without a body does not begin at all. */
function cut(response: ServerResponse, answer: EmulatorResponse): void {
  const bytes = Buffer.from(answer.body);
  if (bytes.length === 0) {
    response.destroy();
    return;
  }
  writeHead(response, answer);
  response.write(bytes.subarray(0, Math.ceil(bytes.length / 2)), () => {
    response.destroy();
  });
}

function isForm({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
}

async function readBody(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= FORM_LIMIT_BYTES) {
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks).toString('utf8');
}

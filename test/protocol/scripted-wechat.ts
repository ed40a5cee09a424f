import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WechatClient, type WechatClientOptions } from '../../src/protocol/wechat.client.js';
import { WechatResponseError } from '../../src/protocol/wechat-response.error.js';

export const APP_ID = 'wx1f2e3d4c5b6a7980';
export const APP_SECRET = '9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d';
export const CODE = '071AdBVI1ZHOd509MKUI1jwjVI1AdBVV';
export const OPENID = 'oEFbq5Zc0ZyLqJ9wY3sX1kT8uV2w';
export const UNIONID = 'oLW1-6Qm2nR4sT6uV8wX0yZ1aB3c';
/** As long as WeChat's tokens are today: 110 characters. */
export const ACCESS_TOKEN = `83_${'aB3-dE5_fG7hJ9kL'.repeat(6)}accessToken`;
export const REFRESH_TOKEN = `83_${'zY2_xW4-vU6tS8rQ'.repeat(6)}refreshToke`;

/** How WeChat's API answers: status 200, text/plain, no charset. */
export function wechatAnswer(
  body: string | Buffer | object,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): RequestListener {
  const bytes = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(bytes);
  };
}

/** A real HTTP server on this machine that answers byte for byte what a test tells it to. */
export class ScriptedWechat {
  readonly requests: IncomingMessage[] = [];
  connections = 0;
  readonly #server = createServer((request, response) => {
    this.requests.push(request);
    this.#listener(request, response);
  });
  readonly #clients: WechatClient[] = [];
  #listener: (request: IncomingMessage, response: ServerResponse) => void = wechatAnswer('not scripted');

  static async start(): Promise<ScriptedWechat> {
    const scripted = new ScriptedWechat();
    scripted.#server.on('connection', () => {
      scripted.connections += 1;
    });
    await new Promise<void>((resolve) => scripted.#server.listen(0, '127.0.0.1', resolve));
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Every call from now on is answered so. */
  answers(listener: RequestListener): void {
    this.#listener = listener;
  }

  /** What the client asked for last: path and query. */
  get lastPath(): string | undefined {
    return this.requests.at(-1)?.url;
  }

  client(options: Partial<WechatClientOptions> = {}): WechatClient {
    const client = new WechatClient({
      accounts: [{ appId: APP_ID, appSecret: APP_SECRET }],
      openBaseUrl: 'https://open.weixin.qq.com',
      apiBaseUrl: this.url,
      requestTimeoutMs: 5_000,
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The error a call fails with. Fails the test if the call succeeds or fails otherwise. */
export async function failureOf(call: Promise<unknown>): Promise<WechatResponseError> {
  const error: unknown = await call.then(
    () => new Error('the call succeeded'),
    (reason: unknown) => reason,
  );
  if (error instanceof WechatResponseError) return error;
  throw error;
}

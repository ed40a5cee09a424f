import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WechatEmulatorEndpoint } from '../../src/emulator/index.js';
import { INSTANCE_HEADER } from '../instance/messages.js';

/** Who calls WeChat. An instance that was killed comes back as another process. */
export interface CallingProcess {
  readonly instance: number;
  readonly pid: number;
}

/** A call of WeChat's API by an instance, and what WeChat answered. */
export interface WechatCall extends CallingProcess {
  readonly endpoint: Exclude<WechatEmulatorEndpoint, 'authorize'>;
  readonly query: URLSearchParams;
  /** The answer as WeChat wrote it; undefined where it is no JSON. */
  readonly answer: Readonly<Record<string, unknown>> | undefined;
  /** Whether all of the answer left WeChat. */
  readonly isDelivered: boolean;
}

const ENDPOINTS: Readonly<Record<string, WechatCall['endpoint']>> = {
  '/sns/oauth2/access_token': 'token',
  '/sns/oauth2/refresh_token': 'refresh',
  '/sns/userinfo': 'userinfo',
  '/sns/auth': 'auth',
};

const REQUESTS = 'http.server.request.start';

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/**
 * Reads along what WeChat's server is asked and answers, in this process, without a proxy in between: what an instance
 * was told is known from WeChat's side, whatever the instance makes of it.
 */
export class WireTap {
  private readonly port: number;
  private readonly listener = (message: unknown) => this.listen(message as Exchange);

  /**
   * @param onCall told of each call when its answer leaves, or breaks off.
   * @param onAnswer told just before an answer leaves.
   */
  constructor(
    wechatUrl: string,
    private readonly onCall: (call: WechatCall) => void,
    private readonly onAnswer: (caller: CallingProcess) => void,
  ) {
    this.port = Number(new URL(wechatUrl).port);
    subscribe(REQUESTS, this.listener);
  }

  close(): void {
    unsubscribe(REQUESTS, this.listener);
  }

  private listen({ request, response }: Exchange): void {
    const header = request.headers[INSTANCE_HEADER];
    if (request.socket.localPort !== this.port || typeof header !== 'string') return;
    const [instance = NaN, pid = NaN] = header.split('/').map(Number);
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const endpoint = ENDPOINTS[path];
    if (!endpoint) return;
    let isNoted = false;
    const note = (body: string, isDelivered: boolean): void => {
      if (isNoted) return;
      isNoted = true;
      const call = { instance, pid, endpoint, query: new URLSearchParams(query), isDelivered };
      this.onCall({ ...call, answer: jsonOf(body) });
    };
    const end = response.end.bind(response) as (chunk: unknown) => ServerResponse;
    // Now, and not when the connection is through with it: by then the next step may have begun.
    response.end = (chunk: unknown) => {
      this.onAnswer({ instance, pid });
      note(String(chunk), true);
      return end(chunk);
    };
    response.once('close', () => note('', false));
  }
}

function jsonOf(body: string): WechatCall['answer'] {
  try {
    return JSON.parse(body) as WechatCall['answer'];
  } catch {
    return undefined;
  }
}

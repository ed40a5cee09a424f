import type { IncomingMessage } from 'node:http';
import { parse } from 'node:querystring';

/** A request as the emulator's endpoints see it. What an endpoint does not look at is not worked out. */
export class EmulatorRequest {
  readonly method: string;
  readonly path: string;
  /** What follows the `?`, as it came. */
  readonly rawQuery: string;
  private parsed: NodeJS.Dict<string | string[]> | undefined;

  /** @param rawForm a posted form's body; empty without one. */
  constructor(
    private readonly message: IncomingMessage,
    private readonly rawForm: string,
  ) {
    const { method = 'GET', url = '/' } = message;
    const mark = url.indexOf('?');
    this.method = method;
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.rawQuery = mark === -1 ? '' : url.slice(mark + 1);
  }

  /** A parameter of the query: the first of that name, empty if there is none. Far cheaper than {@link query}. */
  parameter(name: string): string {
    this.parsed ??= parse(this.rawQuery);
    const value = this.parsed[name] ?? '';
    return typeof value === 'string' ? value : (value[0] ?? '');
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.rawQuery);
  }

  get form(): URLSearchParams {
    return new URLSearchParams(this.rawForm);
  }

  get userAgent(): string {
    return this.message.headers['user-agent'] ?? '';
  }

  get cookie(): string {
    return this.message.headers.cookie ?? '';
  }

  /** Whether a person's doing led to it, as browsers tell; true for clients that tell nothing. */
  get hasUserGesture(): boolean {
    const { headers } = this.message;
    return headers['sec-fetch-mode'] === undefined || headers['sec-fetch-user'] === '?1';
  }
}

/** What an endpoint answers. */
export interface EmulatorResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** How long it takes, in milliseconds of real time. Default: no time. */
  readonly delayMs?: number;
}

/** Sends the browser on. The answer is never to be kept: the next one may differ. */
export function redirectResponse(location: string, status: 302 | 303 = 302): EmulatorResponse {
  // A header holds ASCII only; what is beyond it can only be in a redirect URI and is encoded as a browser would.
  const ascii = location.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  return { status, headers: { location: ascii, 'cache-control': 'no-store' }, body: '' };
}

export function textResponse(status: number, body: string): EmulatorResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

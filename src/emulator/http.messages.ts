import type { IncomingMessage } from 'node:http';

/** A request as the emulator's endpoints see it. What an endpoint does not look at is not worked out. */
export class EmulatorRequest {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  /** What follows the `?`, as it came. */
  readonly rawQuery: string;

  /** @param rawForm a posted form's body; empty without one. */
  constructor(
    private readonly message: IncomingMessage,
    private readonly rawForm: string,
  ) {
    const { method = 'GET', url = '/' } = message;
    // As a client sends it that takes this for a proxy.
    const own = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
    const { path, rawQuery } = splitUrl(own);
    this.method = method;
    this.url = own;
    this.path = path;
    this.rawQuery = rawQuery;
  }

  /**
   * A parameter of the query: the first of that name, empty if there is none. {@link query} would work out all of them,
   * which is a good part of what a call takes.
   */
  parameter(name: string): string {
    const { rawQuery } = this;
    for (let start = 0; start < rawQuery.length;) {
      const next = rawQuery.indexOf('&', start);
      const end = next === -1 ? rawQuery.length : next;
      const value = start + name.length + 1;
      if (rawQuery.startsWith(name, start) && rawQuery[value - 1] === '=') {
        return decoded(rawQuery.slice(value, end));
      }
      start = end + 1;
    }
    // A name may be encoded too; nobody does that under load.
    return rawQuery.includes('%') ? (this.query.get(name) ?? '') : '';
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

function decoded(value: string): string {
  return /[%+]/.test(value) ? (new URLSearchParams(`value=${value}`).get('value') ?? '') : value;
}

export function splitUrl(url: string): { path: string; rawQuery: string } {
  const mark = url.indexOf('?');
  return mark === -1
    ? { path: url, rawQuery: '' }
    : { path: url.slice(0, mark), rawQuery: url.slice(mark + 1) };
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

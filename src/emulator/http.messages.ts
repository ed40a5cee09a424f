/** A request as the emulator's endpoints see it. */
export interface EmulatorRequest {
  readonly method: string;
  readonly path: string;
  /** What follows the `?`, as it came. */
  readonly rawQuery: string;
  readonly query: URLSearchParams;
  /** The fields of a posted form; empty without one. */
  readonly form: URLSearchParams;
  readonly userAgent: string;
  /** Whether a person's doing led to it, as browsers tell; true for clients that tell nothing. */
  readonly hasUserGesture: boolean;
  readonly cookie: string;
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

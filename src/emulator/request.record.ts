import type { WechatEmulatorEndpoint, WechatEmulatorRequest } from './emulator.types.js';
import type { EmulatorRequest } from './http.messages.js';

const KEPT = 100_000;

/** The latest requests. What is in them is worked out when somebody looks. */
export class RequestRecord {
  readonly list: WechatEmulatorRequest[] = [];

  add(
    { method, path, rawQuery }: EmulatorRequest,
    endpoint: WechatEmulatorEndpoint | undefined,
    atMs: number,
  ): void {
    this.list.push(new RecordedRequest(method, path, rawQuery, endpoint, atMs));
    // In lots, since dropping one by one from a long list is slow.
    if (this.list.length > KEPT * 1.1) this.list.splice(0, this.list.length - KEPT);
  }

  clear(): void {
    this.list.length = 0;
  }
}

class RecordedRequest implements WechatEmulatorRequest {
  constructor(
    readonly method: string,
    readonly path: string,
    private readonly rawQuery: string,
    readonly endpoint: WechatEmulatorEndpoint | undefined,
    private readonly atMs: number,
  ) {}

  get query(): Readonly<Record<string, string>> {
    const query: Record<string, string> = {};
    for (const [name, value] of new URLSearchParams(this.rawQuery)) query[name] ??= value;
    return query;
  }

  get at(): Date {
    return new Date(this.atMs);
  }

  toJSON(): WechatEmulatorRequest {
    const { method, path, query, endpoint, at } = this;
    return { method, path, query, endpoint, at };
  }
}

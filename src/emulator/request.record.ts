import type { WechatEmulatorEndpoint, WechatEmulatorRequest } from './emulator.types.js';
import { type EmulatorRequest, splitUrl } from './http.messages.js';

const KEPT = 100_000;

/** The latest requests. What is in them is worked out when somebody looks. */
export class RequestRecord {
  readonly list: WechatEmulatorRequest[] = [];

  add({ method, url }: EmulatorRequest, endpoint: WechatEmulatorEndpoint | undefined, atMs: number): void {
    this.list.push(new RecordedRequest(method, url, endpoint, atMs));
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
    private readonly url: string,
    readonly endpoint: WechatEmulatorEndpoint | undefined,
    private readonly atMs: number,
  ) {}

  get path(): string {
    return splitUrl(this.url).path;
  }

  get query(): Readonly<Record<string, string>> {
    const query: Record<string, string> = {};
    for (const [name, value] of new URLSearchParams(splitUrl(this.url).rawQuery)) query[name] ??= value;
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

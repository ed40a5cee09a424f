import type { WechatEmulatorEndpoint, WechatEmulatorRequest } from './emulator.types.js';
import { type EmulatorRequest, splitUrl } from './http.messages.js';

const KEPT = 100_000;
/** About a thousand URLs of `/sns` calls. */
const LOT_BYTES = 256 * 1024;

/**
 * The latest requests, as bytes and numbers until somebody looks. Kept as objects, each of them would live just long
 * enough for the garbage collector to copy it twice, which was a good part of what a call took.
 */
export class RequestRecord {
  /** Oldest first. Dropped lot by lot. */
  private lots: Lot[] = [];
  private length = 0;
  private listed: readonly WechatEmulatorRequest[] | undefined;

  add({ method, url }: EmulatorRequest, endpoint: WechatEmulatorEndpoint | undefined, atMs: number): void {
    let lot = this.lots.at(-1);
    if (!lot?.hasRoomFor(url)) {
      this.dropOld();
      lot = new Lot(url);
      this.lots.push(lot);
    }
    lot.add(method, url, endpoint, atMs);
    this.length += 1;
    this.listed = undefined;
  }

  /** Oldest first, as they are at this moment. */
  get list(): readonly WechatEmulatorRequest[] {
    return (this.listed ??= this.lots.flatMap((lot) => lot.requests()).slice(-KEPT));
  }

  clear(): void {
    this.lots = [];
    this.length = 0;
    this.listed = undefined;
  }

  private dropOld(): void {
    const [oldest] = this.lots;
    if (!oldest || this.length - oldest.length < KEPT) return;
    this.lots.shift();
    this.length -= oldest.length;
  }
}

/** Requests in a row, in columns. */
class Lot {
  private readonly methods: string[] = [];
  private readonly endpoints: (WechatEmulatorEndpoint | undefined)[] = [];
  private readonly atMs: number[] = [];
  /** One behind the other. Node.js has a URL in Latin-1, whatever came. */
  private readonly urls: Buffer;
  private readonly urlEnds: number[] = [];
  private end = 0;

  /** @param url fits in, however long it is. */
  constructor(url: string) {
    this.urls = Buffer.allocUnsafe(Math.max(LOT_BYTES, url.length));
  }

  get length(): number {
    return this.methods.length;
  }

  hasRoomFor(url: string): boolean {
    return this.end + url.length <= this.urls.length;
  }

  add(method: string, url: string, endpoint: WechatEmulatorEndpoint | undefined, atMs: number): void {
    this.methods.push(method);
    this.endpoints.push(endpoint);
    this.atMs.push(atMs);
    this.end += this.urls.write(url, this.end, 'latin1');
    this.urlEnds.push(this.end);
  }

  requests(): RecordedRequest[] {
    return this.methods.map((method, index) => {
      const url = this.urls.toString('latin1', this.urlEnds[index - 1] ?? 0, this.urlEnds[index]);
      return new RecordedRequest(method, url, this.endpoints[index], this.atMs[index] ?? NaN);
    });
  }
}

/** What is in it is worked out when somebody looks. */
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

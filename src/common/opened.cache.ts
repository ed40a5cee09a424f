/** A sealed text ends in its authentication tag, 16 bytes in base64url. */
const TAG_LENGTH = 22;

interface Opened<Value> {
  audience: string;
  sealed: string;
  value: Value;
}

/**
 * Remembers what sealed texts opened to, for the ones met most recently. Only what did open belongs here; then nobody
 * without the keys can fill it.
 *
 * Two generations instead of an order of use: what is in use moves to the young one, and when that is full, the old
 * one is dropped whole. A hit costs one look-up, and no more than `capacity` texts are kept.
 */
export class OpenedCache<Value extends object> {
  // By their tags: hashing a whole text takes as long as the rest of the look-up.
  private young = new Map<string, Opened<Value>>();
  private old = new Map<string, Opened<Value>>();

  constructor(private readonly capacity: number) {}

  /** @returns what the text opened to in this place. */
  get(audience: string, sealed: string): Value | undefined {
    const opened = this.find(sealed.slice(-TAG_LENGTH));
    return opened?.sealed === sealed && opened.audience === audience ? opened.value : undefined;
  }

  set(audience: string, sealed: string, value: Value): void {
    // V8 cuts a text out of another as a view that keeps the whole alive: for a cookie, all headers of its request.
    const own = Buffer.from(sealed).toString();
    this.keep(own.slice(-TAG_LENGTH), { audience, sealed: own, value });
  }

  private find(tag: string): Opened<Value> | undefined {
    const opened = this.young.get(tag);
    if (opened) return opened;
    const older = this.old.get(tag);
    if (older) this.keep(older.sealed.slice(-TAG_LENGTH), older);
    return older;
  }

  private keep(tag: string, opened: Opened<Value>): void {
    if (this.young.size >= this.capacity / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(tag, opened);
  }
}

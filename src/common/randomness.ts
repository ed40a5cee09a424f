import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;

/** Where ids and nonces come from. */
export abstract class WechatRandomness {
  /** @returns `size` bytes that nobody can predict. */
  abstract bytes(size: number): Buffer;
}

/** That of the system, fetched a page at a time: asking for it takes much longer than 12 bytes are worth. */
export class SystemRandomness extends WechatRandomness {
  private readonly pool = Buffer.alloc(POOL_BYTES);
  private used = POOL_BYTES;

  bytes(size: number): Buffer {
    if (size > POOL_BYTES) return randomFillSync(Buffer.alloc(size));
    if (this.used + size > POOL_BYTES) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    const begin = this.used;
    this.used += size;
    // A copy, and nothing left behind: no two callers ever see the same bytes.
    const bytes = Buffer.from(this.pool.subarray(begin, this.used));
    this.pool.fill(0, begin, this.used);
    return bytes;
  }
}

import type { WechatClock } from '../common/clock.js';

/**
 * What was read of the database, kept for a while. However many ask at once, one statement is under way, so that those
 * who only watch never take more than one connection from those who work.
 */
export class CachedReading<Value> {
  private last: { readonly value: Value; readonly readAtMs: number } | undefined;
  private running: Promise<Value> | undefined;

  constructor(
    private readonly clock: WechatClock,
    private readonly read: () => Promise<Value>,
  ) {}

  /** @param maxAgeMs how old the value may be, in milliseconds. */
  async get(maxAgeMs: number): Promise<Value> {
    const { last } = this;
    if (last && this.clock.now().getTime() - last.readAtMs <= maxAgeMs) return last.value;
    return (this.running ??= this.readAgain());
  }

  private async readAgain(): Promise<Value> {
    try {
      const readAtMs = this.clock.now().getTime();
      const value = await this.read();
      this.last = { value, readAtMs };
      return value;
    } finally {
      this.running = undefined;
    }
  }
}

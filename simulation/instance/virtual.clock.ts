import { WechatClock } from '../../src/index.js';

/** Stands still until it is turned, and goes wrong by a fixed time. */
export class VirtualClock extends WechatClock {
  constructor(
    private nowMs: number,
    private readonly skewMs: number,
  ) {
    super();
  }

  now(): Date {
    return new Date(this.nowMs + this.skewMs);
  }

  turn(nowMs: number): void {
    this.nowMs = nowMs;
  }
}

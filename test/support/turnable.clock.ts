import { WechatClock } from '../../src/index.js';

/** One clock for the application and WeChat, turned by hand. */
export class TurnableClock extends WechatClock {
  private aheadMs = 0;

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  advance(ms: number): void {
    this.aheadMs += ms;
  }
}

const MINUTE_MS = 60_000;

/**
 * What each app has used of its calls a minute, on the emulator's clock.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
export class Quotas {
  private readonly used = new Map<string, { minute: number; calls: number }>();

  constructor(private readonly perMinute: number) {}

  /** Counts a call. @returns whether it is one too many. */
  isExceeded(endpoint: string, appId: string, nowMs: number): boolean {
    const key = `${endpoint} ${appId}`;
    const minute = Math.floor(nowMs / MINUTE_MS);
    let used = this.used.get(key);
    if (used?.minute !== minute) {
      used = { minute, calls: 0 };
      this.used.set(key, used);
    }
    used.calls += 1;
    return used.calls > this.perMinute;
  }

  reset(): void {
    this.used.clear();
  }
}

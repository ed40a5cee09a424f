const MINUTE_MS = 60_000;

interface Used {
  minute: number;
  calls: number;
}

/**
 * What each app has used of its calls a minute, on the emulator's clock.
 *
 * @see https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsaccesstoken
 */
export class Quotas {
  /** By endpoint, then by app. */
  private readonly used = new Map<string, Map<string, Used>>();

  constructor(private readonly perMinute: number) {}

  /** Counts a call. @returns whether it is one too many. */
  isExceeded(endpoint: string, appId: string, nowMs: number): boolean {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const byApp = this.used.get(endpoint) ?? new Map<string, Used>();
    this.used.set(endpoint, byApp);
    let used = byApp.get(appId);
    if (used?.minute !== minute) byApp.set(appId, (used = { minute, calls: 0 }));
    used.calls += 1;
    return used.calls > this.perMinute;
  }

  reset(): void {
    this.used.clear();
  }
}

/** @returns whether people are sent to WeChat itself, rather than to an emulator or a proxy. */
export function isRealOpenBaseUrl(baseUrl: string): boolean {
  return hostOf(baseUrl) === 'open.weixin.qq.com';
}

export function isRealApiBaseUrl(baseUrl: string): boolean {
  // WeChat's other entrances (sh.api, hk.api ...) answer the same calls.
  return /(^|\.)api\d?\.weixin\.qq\.com$/.test(hostOf(baseUrl));
}

export function hostOf(baseUrl: string): string {
  return new URL(baseUrl).host;
}

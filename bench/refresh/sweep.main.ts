import { WechatAuthService } from '../../src/index.js';
import { serve } from '../server.process.js';
import { startHost } from './host.js';
import type { EmulatedWechat } from './wechat.main.js';

export interface Swept {
  refreshed: number;
  peakMebibytes: number;
}

/** Sweeps until nothing is due, as an instance does that was away for long. */
void serve(async (databaseUrl, wechat): Promise<Swept> => {
  const application = await startHost(databaseUrl, JSON.parse(wechat) as EmulatedWechat);
  const service = application.get(WechatAuthService, { strict: false });
  let refreshed = 0;
  for (;;) {
    const report = await service.refreshDue();
    if (report.failed > 0) throw new Error(`Of a sweep, ${report.failed} refreshes failed.`);
    if (report.refreshed === 0) break;
    refreshed += report.refreshed;
  }
  await application.close();
  return { refreshed, peakMebibytes: process.resourceUsage().maxRSS / 1024 };
});

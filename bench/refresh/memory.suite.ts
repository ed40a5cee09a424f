import { progress, ratioOf, type Suite } from '../harness.js';
import { withDatabase } from '../postgres.js';
import { ServerProcess } from '../server.process.js';
import type { Swept } from './sweep.main.js';
import type { EmulatedWechat } from './wechat.main.js';

const WECHAT = new URL('./wechat.main.js', import.meta.url);
const SWEEP = new URL('./sweep.main.js', import.meta.url);
/** So many that WeChat's quota of a minute is enough for a million at once. */
const ACCOUNTS = 25;

/** Whether a sweep needs more memory the more there is to do. */
export const memory: Suite = {
  name: 'memory',
  about: 'peak memory of a process that sweeps a million due grants, and of one with ten thousand; 5 minutes',
  async run() {
    const few = await peakOf(10_000);
    const many = await peakOf(1_000_000);
    return [ratioOf('memory', '1m/10k', 'MiB', many, few)];
  },
};

function peakOf(due: number): Promise<number> {
  return withDatabase(async (databaseUrl) => {
    progress(`memory: ${due} users consent at an emulated WeChat`);
    const words = [databaseUrl, String(ACCOUNTS), String(due / ACCOUNTS)];
    const wechat = await ServerProcess.start<EmulatedWechat>(WECHAT, words);
    try {
      progress(`memory: a sweep of ${due}`);
      const sweep = await ServerProcess.start<Swept>(SWEEP, [databaseUrl, JSON.stringify(wechat.ready)]);
      const { refreshed, peakMebibytes } = sweep.ready;
      await sweep.stop();
      if (refreshed !== due) throw new Error(`${refreshed} of ${due} grants were refreshed.`);
      return peakMebibytes;
    } finally {
      await wechat.stop();
    }
  });
}

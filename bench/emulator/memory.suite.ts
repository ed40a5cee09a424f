import { absolute, progress, type Suite } from '../harness.js';
import { ServerProcess } from '../server.process.js';

const MAIN = new URL('./memory.main.js', import.meta.url);

/** What the emulator needs for the users of a large account. */
export const emulatorMemory: Suite = {
  name: 'emulator-memory',
  about: 'peak memory of the emulator with a million live access and refresh tokens; 20 seconds',
  async run() {
    progress('emulator-memory: a million users authorize');
    const server = await ServerProcess.start<{ peakMebibytes: number }>(MAIN, ['1000000']);
    try {
      return [absolute('emulator-memory', '1m-tokens-mib', 'MiB', server.ready.peakMebibytes)];
    } finally {
      await server.stop();
    }
  },
};

import autocannon, { type Options, type Result } from 'autocannon';
import { progress } from '../harness.js';
import type { ServerProcess } from '../server.process.js';

const CONNECTIONS = 64;
const WARM_UP_CALLS = 30_000;

/** As many calls as a server takes: every connection calls again as soon as it has its answer. */
export class CallLoad {
  constructor(
    private readonly name: string,
    private readonly origin: string,
    /** One for each user. */
    private readonly paths: readonly string[],
    private readonly server: ServerProcess<unknown>,
  ) {}

  /** Lets V8 see enough calls to compile for them. */
  async warmUp(): Promise<void> {
    await this.load({ amount: WARM_UP_CALLS });
  }

  /** @returns calls a second, and how busy the server was: only a busy one has shown what it can do. */
  async measure(durationMs: number): Promise<{ rate: number; busy: number }> {
    await this.server.usage();
    const rate = await this.load({ duration: durationMs / 1000 });
    const { busy, cpuMicroseconds } = await this.server.usage();
    const cpu = cpuMicroseconds / ((rate * durationMs) / 1000);
    progress(
      `emulator: ${this.name}: ${Math.round(rate)} calls/s, ${cpu.toFixed(1)} us of CPU each, ${Math.round(busy * 100)} % busy`,
    );
    return { rate, busy };
  }

  private async load(options: Partial<Options>): Promise<number> {
    let answers = 0;
    let startedAt = NaN;
    let endedAt = NaN;
    let next = 0;
    const each = Math.floor(this.paths.length / CONNECTIONS);
    const { non2xx, errors, mismatches } = await new Promise<Result>((resolve, reject) => {
      const load = autocannon(
        {
          url: this.origin,
          connections: CONNECTIONS,
          sampleInt: 50,
          verifyBody: (body) => String(body).startsWith('{"openid":'),
          setupClient: (client) => {
            client.setRequests(this.paths.slice(next, next + each).map((path) => ({ path })));
            next += each;
          },
          ...options,
        },
        (error: Error | null, result) => {
          if (error) reject(error);
          else resolve(result);
        },
      );
      load.on('start', () => (startedAt = performance.now()));
      load.on('response', () => {
        answers++;
        endedAt = performance.now();
      });
    });
    if (non2xx + errors + mismatches > 0) {
      throw new Error(
        `${this.name} failed under load: ${non2xx} answers other than 2xx, ${errors} errors, ${mismatches} wrong bodies.`,
      );
    }
    return (answers / (endedAt - startedAt)) * 1000;
  }
}

import { loadFully } from '../full.load.js';
import { progress } from '../harness.js';
import type { ServerProcess } from '../server.process.js';

const CONNECTIONS = 64;
const WARM_UP_CALLS = 60_000;
const CALLS = 40_000;

/** A load of calls: every connection calls again as soon as it has its answer. */
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
    await this.load(WARM_UP_CALLS);
  }

  /** @returns how many calls the server answers in a second of its own processor time. */
  async measure(): Promise<number> {
    await this.server.usage();
    await this.load(CALLS);
    const { busy, cpuMicroseconds } = await this.server.usage();
    progress(
      `emulator: ${this.name}: ${(cpuMicroseconds / CALLS).toFixed(1)} us of CPU a call, ${Math.round(busy * 100)} % busy`,
    );
    return (CALLS / cpuMicroseconds) * 1_000_000;
  }

  private async load(calls: number): Promise<void> {
    let next = 0;
    const each = Math.floor(this.paths.length / CONNECTIONS);
    await loadFully(this.name, {
      url: this.origin,
      connections: CONNECTIONS,
      amount: calls,
      verifyBody: (body) => String(body).startsWith('{"openid":'),
      setupClient: (client) => {
        client.setRequests(this.paths.slice(next, next + each).map((path) => ({ path })));
        next += each;
      },
    });
  }
}

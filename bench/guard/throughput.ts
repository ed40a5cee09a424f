import type { Client, Options } from 'autocannon';
import { loadFully } from '../full.load.js';
import { BODY, type Route, VISITORS } from './route.js';

/** As much load as a route takes: every connection asks again as soon as it has its answer. */
export class Throughput {
  /** How many have come over each connection, so that the next time goes on with the visitors after them. */
  private come = 0;

  constructor(private readonly route: Route) {}

  /** Lets V8 see enough requests to compile for them; counted, since a busy machine takes longer. */
  async warmUp(requests: number): Promise<void> {
    await this.load({ amount: requests });
  }

  /** @returns requests a second. */
  async measure(durationMs: number): Promise<number> {
    return this.load({ duration: durationMs / 1000 });
  }

  private async load(options: Partial<Options>): Promise<number> {
    const { url } = this.route;
    const { answers, rate } = await loadFully(url, {
      url,
      connections: VISITORS,
      expectBody: BODY,
      setupClient: this.visitorsByConnection(),
      ...options,
    });
    this.come += Math.ceil(answers / VISITORS);
    return rate;
  }

  /** Spreads the visitors over the connections. Usually each has one, as with browsers; else they take turns. */
  private visitorsByConnection(): (client: Client) => void {
    const { visitors } = this.route;
    const each = Math.floor(visitors.length / VISITORS);
    let next = 0;
    return (client) => {
      const own = visitors.slice(next, next + each);
      const first = this.come % each;
      client.setRequests([...own.slice(first), ...own.slice(0, first)].map((headers) => ({ headers })));
      next += each;
    };
  }
}

import { progress } from '../harness.js';
import type { ServerProcess } from '../server.process.js';
import { latencyP99Of } from './paced.load.js';
import { BODY, type Route, VISITORS } from './route.js';
import { Throughput } from './throughput.js';

const WARM_UP_REQUESTS = 10_000;
const THROUGHPUT_MS = 1_500;
const LATENCY_MS = 2_000;

/** One of the routes that are compared, under load. */
export class Side {
  private readonly load: Throughput;

  constructor(
    readonly name: string,
    private readonly route: Route,
    private readonly application: ServerProcess<unknown>,
  ) {
    this.load = new Throughput(route);
  }

  /** Whether its visitors come back: a latency is measured with one visitor for each connection. */
  get hasRegulars(): boolean {
    return this.route.visitors.length === VISITORS;
  }

  /** @throws if the route does not do its work: a guard that lets everybody in is fast, and no guard. */
  async check(): Promise<void> {
    const { url, visitors, isGuarded } = this.route;
    const welcome = await fetch(url, { headers: visitors[0] ?? {} });
    if (welcome.status !== 200 || (await welcome.text()) !== BODY) {
      throw new Error(`${url} answered ${welcome.status} to a visitor who is signed in.`);
    }
    const stranger = await fetch(url, { redirect: 'manual' });
    await stranger.text();
    if (isGuarded === (stranger.status === 200)) {
      throw new Error(`${url} answered ${stranger.status} to a stranger.`);
    }
  }

  async warmUp(): Promise<void> {
    this.say('warming up');
    await this.load.warmUp(WARM_UP_REQUESTS);
  }

  /** @returns requests a second. */
  async throughput(): Promise<number> {
    await this.application.usage();
    const rate = await this.load.measure(THROUGHPUT_MS);
    const { busy, cpuMicroseconds } = await this.application.usage();
    const cpu = cpuMicroseconds / ((rate * THROUGHPUT_MS) / 1000);
    this.say(`${Math.round(rate)} req/s, ${cpu.toFixed(1)} us of CPU each, ${Math.round(busy * 100)} % busy`);
    return rate;
  }

  /** @returns milliseconds. */
  async latencyP99(requestsPerSecond: number): Promise<number> {
    const p99 = await latencyP99Of(this.route, requestsPerSecond, LATENCY_MS);
    this.say(`p99 ${p99.toFixed(2)} ms at ${Math.round(requestsPerSecond)} req/s`);
    return p99;
  }

  private say(text: string): void {
    progress(`guard: ${this.name}: ${text}`);
  }
}

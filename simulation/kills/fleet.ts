import { InstanceProcess } from '../../test/support/instance/instance.process.js';
import type { InstanceSettings } from '../../test/support/instance/instance.main.js';
import { TurnableClock } from '../../test/support/turnable.clock.js';
import type { Balancer, Target } from './balancer.js';

/** One of the instances that serve. */
export interface Member extends Target {
  readonly process: InstanceProcess;
}

/** The instances of the application, each a process of its own, and the clock that all of them go by. */
export class Fleet {
  readonly clock = new TurnableClock();
  private members: Member[] = [];
  private readonly starting = new Set<InstanceProcess>();
  private started = 0;

  /** @param settingsOf what the instance of this number is told. */
  constructor(
    private readonly balancer: Balancer<Member>,
    private readonly settingsOf: (number: number) => Omit<InstanceSettings, 'aheadMs'>,
  ) {}

  get serving(): readonly Member[] {
    return this.members;
  }

  /** Forks one more instance. @returns it before it serves; see {@link join}. */
  fork(): InstanceProcess {
    const aheadMs = this.clock.now().getTime() - Date.now();
    const process = InstanceProcess.fork({ ...this.settingsOf(this.started++), aheadMs });
    this.starting.add(process);
    return process;
  }

  /** Sends requests to an instance as soon as it serves. */
  async join(process: InstanceProcess): Promise<void> {
    const url = await process.ready();
    this.starting.delete(process);
    this.members.push({ url, process });
    this.balancer.targets = this.members;
  }

  /** `kill -9` of an instance that serves, or is about to. */
  async kill(process: InstanceProcess): Promise<void> {
    const killed = process.kill();
    this.starting.delete(process);
    this.members = this.members.filter((member) => member.process !== process);
    this.balancer.targets = this.members;
    await killed;
  }

  /** Turns the clock of all that run. */
  async turn(ms: number): Promise<void> {
    this.clock.advance(ms);
    const all = [...this.starting, ...this.members.map(({ process }) => process)];
    await Promise.all(all.map((process) => process.ask('advanceClock', ms).catch(() => undefined)));
  }

  async close(): Promise<void> {
    const all = [...this.starting, ...this.members.map(({ process }) => process)];
    await Promise.all(all.map((process) => process.stop()));
  }
}

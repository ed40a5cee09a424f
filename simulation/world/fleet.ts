import { InstanceGone, InstanceProcess } from '../instance/instance.process.js';
import type { CommandName, InstanceCommands, InstanceSettings } from '../instance/messages.js';
import { INSTANCES } from '../plan/plan.js';
import type { EmulatedTime } from './emulated.time.js';
import type { KeyChange } from './key.change.js';

export interface FleetWatch {
  onEvent(instance: number, name: string, payload: { openid?: string; reason?: string }): void;
  onOutput(instance: number, text: string): void;
}

type Shared = Omit<InstanceSettings, 'number' | 'platform' | 'skewMs' | 'keys' | 'nowMs'>;

/** All instances of the application, one of them perhaps just away. */
export class Fleet {
  private readonly instances = new Map<number, InstanceProcess>();
  /** New processes that take the places of killed ones. */
  private readonly coming = new Map<number, Promise<InstanceProcess>>();

  constructor(
    private readonly shared: Shared,
    private readonly keys: KeyChange,
    /** How far the clock of the first instance is ahead, in milliseconds. */
    private readonly skewMs: number,
    private readonly time: EmulatedTime,
    private readonly watch: FleetWatch,
  ) {}

  async start(): Promise<void> {
    const numbers = Array.from({ length: INSTANCES }, (_, number) => number);
    await Promise.all(numbers.map(async (number) => this.instances.set(number, await this.launch(number))));
  }

  /** The numbers of those that serve. */
  get live(): number[] {
    return [...this.instances].filter(([, instance]) => instance.isAlive).map(([number]) => number);
  }

  /** Whether this process is the one that serves as the instance at the moment. */
  isServing(number: number, pid: number): boolean {
    const instance = this.instances.get(number);
    return instance?.isAlive === true && instance.pid === pid;
  }

  /** @returns where one of those that serve is reached; undefined if none does. */
  urlOf(pick: (count: number) => number): string | undefined {
    const { live } = this;
    return this.instances.get(live[pick(live.length)] ?? -1)?.url;
  }

  /** @throws {InstanceGone} also where the instance is away. */
  ask<Name extends CommandName>(
    number: number,
    command: Name,
    ...args: Parameters<InstanceCommands[Name]>
  ): Promise<ReturnType<InstanceCommands[Name]>> {
    const instance = this.instances.get(number);
    return instance ? instance.ask(command, ...args) : Promise.reject(new InstanceGone());
  }

  async askAll<Name extends CommandName>(
    command: Name,
    ...args: Parameters<InstanceCommands[Name]>
  ): Promise<void> {
    await Promise.all(this.live.map((number) => this.ask(number, command, ...args)));
  }

  /** Kills an instance, and starts another one in its place, which serves from {@link comeBack} on. */
  kill(number: number): void {
    this.instances.get(number)?.kill();
    const coming = this.launch(number);
    // It is waited for later.
    coming.catch(() => undefined);
    this.coming.set(number, coming);
  }

  /** Lets the new process take its place. */
  async comeBack(number: number): Promise<void> {
    const instance = await this.coming.get(number);
    this.coming.delete(number);
    if (instance) this.instances.set(number, instance);
  }

  /** Replaces one instance after the other, each by one with the present keys, as a rolling update does. */
  async roll(): Promise<void> {
    for (const number of this.live) {
      const next = await this.launch(number);
      const former = this.instances.get(number);
      this.instances.set(number, next);
      await former?.stop();
    }
  }

  async stop(): Promise<void> {
    const coming = await Promise.allSettled(this.coming.values());
    const late = coming.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    await Promise.allSettled([...this.instances.values(), ...late].map((instance) => instance.stop()));
  }

  private launch(number: number): Promise<InstanceProcess> {
    const settings: Omit<InstanceSettings, 'nowMs'> = {
      ...this.shared,
      keys: this.keys.text,
      number,
      platform: number === 1 ? 'express' : 'fastify',
      skewMs: number === 0 ? this.skewMs : 0,
    };
    return InstanceProcess.start(settings, () => this.time.nowMs, {
      onEvent: (name, payload) => this.watch.onEvent(number, name, payload),
      onOutput: (text) => this.watch.onOutput(number, text),
    });
  }
}

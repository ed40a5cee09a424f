import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  CommandName,
  Failure,
  InstanceCommands,
  InstanceSettings,
  Question,
  Reply,
} from './messages.js';

// Compiled or not: the one beside this file.
const MAIN = new URL(`./instance.main${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
/** An instance that says nothing for so long has a fault of its own. In milliseconds. */
const ANSWER_LIMIT_MS = 60_000;

/** The instance was killed before it answered. */
export class InstanceGone extends Error {}

/** The instance has answered by an error of the module's. */
export class InstanceFailure extends Error {
  constructor(readonly failure: Failure) {
    super(`${failure.name}: ${failure.message}`);
  }
}

export interface InstanceWatch {
  onEvent(name: string, payload: { openid?: string; reason?: string }): void;
  onOutput(text: string): void;
}

interface Waiting {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

/** An instance of the application, in a process of its own, as the simulation sees it. */
export class InstanceProcess {
  private readonly waiting = new Map<number, Waiting>();
  private readonly exited: Promise<unknown>;
  private asked = 0;
  private isGone = false;
  /** Where it listens, once it is ready. */
  url = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly watch: InstanceWatch,
    private readonly nowMs: () => number,
  ) {
    this.exited = once(child, 'exit');
    child.on('message', (reply: Reply) => this.take(reply));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => watch.onOutput(text));
    }
    void this.exited.then(() => this.lose());
  }

  /**
   * Starts a process and waits until it serves.
   *
   * @param nowMs asked whenever the instance is asked something.
   */
  static async start(
    settings: Omit<InstanceSettings, 'nowMs'>,
    nowMs: () => number,
    watch: InstanceWatch,
  ): Promise<InstanceProcess> {
    const child = fork(MAIN, [], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' },
    });
    const instance = new InstanceProcess(child, watch, nowMs);
    const ready = instance.wait(0);
    child.send({ ...settings, nowMs: nowMs() } satisfies InstanceSettings);
    instance.url = (await ready) as string;
    return instance;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get isAlive(): boolean {
    return !this.isGone;
  }

  /** @throws {InstanceGone | InstanceFailure} */
  async ask<Name extends CommandName>(
    command: Name,
    ...args: Parameters<InstanceCommands[Name]>
  ): Promise<ReturnType<InstanceCommands[Name]>> {
    if (this.isGone) throw new InstanceGone();
    const id = ++this.asked;
    const answered = this.wait(id);
    const question: Question = { id, nowMs: this.nowMs(), command, args };
    // What cannot be sent any more is answered by the process's end.
    this.child.send(question, () => undefined);
    return (await answered) as ReturnType<InstanceCommands[Name]>;
  }

  /** Ends the process at once, whatever it is doing. */
  kill(): void {
    this.child.kill('SIGKILL');
    this.lose();
  }

  /** Lets it finish what it is at. */
  async stop(): Promise<void> {
    await this.ask('stop');
    this.isGone = true;
    this.child.disconnect();
    await this.exited;
  }

  /** After {@link kill}: until the process is gone. */
  async gone(): Promise<void> {
    await this.exited;
  }

  private async wait(id: number): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<unknown>((resolve, reject) => {
        this.waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(new Error('An instance does not answer.')), ANSWER_LIMIT_MS);
      });
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  private take(reply: Reply): void {
    if (reply.kind === 'event') this.watch.onEvent(reply.name, reply.payload);
    else if (reply.kind === 'ready') this.waiting.get(0)?.resolve(reply.url);
    else if (reply.failure) this.waiting.get(reply.id)?.reject(new InstanceFailure(reply.failure));
    else this.waiting.get(reply.id)?.resolve(reply.result);
  }

  private lose(): void {
    this.isGone = true;
    for (const { reject } of this.waiting.values()) reject(new InstanceGone());
  }
}

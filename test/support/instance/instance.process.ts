import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answer } from './commands.js';
import type { InstanceSettings } from './instance.main.js';

const MAIN = fileURLToPath(import.meta.resolve('./instance.main.js'));
/** Where this runs from the sources, the process does so too; where it was compiled, there is no need. */
const EXEC_ARGV = MAIN.endsWith('.ts') ? ['--import', import.meta.resolve('../typescript.hooks.mjs')] : [];

/** An instance of an application in a process of its own, as in production: all it shares with others is the database. */
export class InstanceProcess {
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private readonly exited: Promise<unknown>;
  private asked = 0;

  private constructor(
    private readonly child: ChildProcess,
    readonly settings: InstanceSettings,
  ) {
    child.on('message', (answer: Answer) => {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    this.exited = once(child, 'exit');
  }

  /** @returns the process at once; {@link ready} tells when, and where, it serves. */
  static fork(settings: InstanceSettings): InstanceProcess {
    const child = fork(MAIN, [JSON.stringify(settings)], {
      execArgv: EXEC_ARGV,
      // Whatever it says, the parent's own output stays clean.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    return new InstanceProcess(child, settings);
  }

  static async start(settings: InstanceSettings): Promise<InstanceProcess> {
    const instance = InstanceProcess.fork(settings);
    try {
      await instance.ready();
      return instance;
    } catch (error) {
      await instance.kill();
      throw error;
    }
  }

  /** @returns where it serves. */
  ready(): Promise<string> {
    return this.ask('ready');
  }

  /** @throws an error with the name, code and message of the one in the process; also if the process ends before. */
  async ask<Result>(command: string, ...args: unknown[]): Promise<Result> {
    const id = ++this.asked;
    const answered = new Promise<Answer>((resolve) => this.waiting.set(id, resolve));
    // What cannot be sent any more is answered by the process's end.
    this.child.send({ id, command, args }, () => undefined);
    const answer = await Promise.race([answered, this.exited.then(() => undefined)]);
    if (!answer) throw new Error('The process of the instance has ended.');
    if (answer.error) throw Object.assign(new Error(), answer.error);
    return answer.result as Result;
  }

  /** `kill -9`: nothing in the process learns of it. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  /** As an orchestrator does it. */
  async stop(): Promise<void> {
    this.child.kill('SIGTERM');
    await this.exited;
  }
}

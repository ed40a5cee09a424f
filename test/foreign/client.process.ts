import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const PROCESS_FOLDER = join(import.meta.dirname, 'process');
const PRELOAD = join(PROCESS_FOLDER, 'only-wechat.preload.mjs');

interface Answer {
  id: number;
  result?: unknown;
  error?: { name: string; code?: string | number; message: string };
}

/** A process with a client that others wrote, which knows nothing of the emulator. */
export class ClientProcess {
  private readonly child: ChildProcess;
  private readonly exited: Promise<unknown>;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private printed = '';
  private asked = 0;

  /**
   * @param driver name of a file `process/<driver>.driver.mjs`.
   * @param env its whole environment, PATH apart: a proxy or certificates of this machine are not for it.
   */
  constructor(driver: string, env: Record<string, string>) {
    this.child = fork(join(PROCESS_FOLDER, `${driver}.driver.mjs`), [], {
      env: { PATH: process.env.PATH, ...env },
      // Not --import, which Node.js 20 leaves out in a worker thread whose source is a text.
      execArgv: ['--require', PRELOAD],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.printed += text));
    }
    this.child.on('message', (answer: Answer) => {
      this.waiting.get(answer.id)?.(answer);
      this.waiting.delete(answer.id);
    });
    this.exited = once(this.child, 'exit');
  }

  /** Has the driver do something. @throws an error with the name, code and message of the client's own. */
  async ask<Result>(command: string, ...args: unknown[]): Promise<Result> {
    const id = ++this.asked;
    const answered = new Promise<Answer>((resolve) => this.waiting.set(id, resolve));
    // What cannot be sent any more is answered by the process's end.
    this.child.send({ id, command, args }, () => undefined);
    const answer = await Promise.race([answered, this.exited]);
    if (!isAnswer(answer)) {
      throw new Error(`The client's process has ended. It printed:\n${this.printed}`);
    }
    if (answer.error) {
      throw Object.assign(new Error(), answer.error);
    }
    return answer.result as Result;
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}

function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'id' in value;
}

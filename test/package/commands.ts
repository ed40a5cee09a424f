import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** The environment of a terminal, without what this run has added. */
const TERMINAL: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries({ ...process.env, NO_COLOR: '1' }).filter(
    ([name]) => !/^(NODE_ENV|NODE_OPTIONS|FORCE_COLOR|JEST_.*|PACKED_.*|WECHAT_.*|DATABASE_URL)$/.test(name),
  ),
);

export interface Output {
  stdout: string;
  stderr: string;
}

/** A process that has been started, and all that it has said so far. */
export class RunningProcess implements Output {
  stdout = '';
  stderr = '';
  private readonly child: ChildProcess;
  private readonly closed: Promise<unknown[]>;

  constructor(
    private readonly command: readonly string[],
    cwd: string,
    env: NodeJS.ProcessEnv = {},
  ) {
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd,
      env: { ...TERMINAL, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.child = child;
    this.closed = once(child, 'close');
  }

  /** Waits until `isReady` says so. @throws with all that was printed, if the process ends before. */
  async until(isReady: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isReady())) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) await this.fail();
      await sleep(50);
    }
  }

  /** Waits for its end. @throws with all that was printed, if it fails. */
  async done(): Promise<Output> {
    await this.closed;
    return this.child.exitCode === 0 ? this : this.fail();
  }

  async stop(): Promise<void> {
    this.child.kill();
    await this.closed;
  }

  private async fail(): Promise<never> {
    await this.closed;
    const end = String(this.child.exitCode ?? this.child.signalCode);
    throw new Error(`${this.command.join(' ')} ended with ${end}:\n${this.stdout}${this.stderr}`);
  }
}

/** Runs a command to its end. @throws with all that it printed, if it fails. */
export function run(command: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Output> {
  return new RunningProcess(command, cwd, env).done();
}

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';

export interface Usage {
  /** How busy the event loop was, from 0 to 1. Well below 1, the load was too weak to find the limit. */
  busy: number;
  cpuMicroseconds: number;
}

/** A server in a process of its own, so that it shares neither event loop nor memory with the load. */
export class ServerProcess<Ready> {
  private constructor(
    private readonly child: ChildProcess,
    /** What it said of itself once it was ready. */
    readonly ready: Ready,
  ) {}

  /** @param main a module that calls {@link serve}. */
  static async start<Ready>(main: URL, words: string[]): Promise<ServerProcess<Ready>> {
    const child = fork(main, words, {
      // What a server says is no figure.
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, NODE_ENV: 'production' },
    });
    return new ServerProcess(child, (await answerOf(child, words.join(' '))) as Ready);
  }

  /** @returns what it has used since the last call. */
  async usage(): Promise<Usage> {
    this.child.send('usage?');
    return (await answerOf(this.child, 'the server')) as Usage;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }
}

/** In the server's process: says what `start` returns, then on every message what has been used since the last one. */
export async function serve(start: (...words: string[]) => Promise<object>): Promise<void> {
  process.on('disconnect', () => process.exit());
  const ready = await start(...process.argv.slice(2));
  let loop = performance.eventLoopUtilization();
  let cpu = process.cpuUsage();
  process.on('message', () => {
    const { utilization } = performance.eventLoopUtilization(loop);
    const { user, system } = process.cpuUsage(cpu);
    loop = performance.eventLoopUtilization();
    cpu = process.cpuUsage();
    const usage: Usage = { busy: utilization, cpuMicroseconds: user + system };
    process.send?.(usage);
  });
  process.send?.(ready);
}

async function answerOf(child: ChildProcess, name: string): Promise<unknown> {
  const controller = new AbortController();
  const { signal } = controller;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error(`${name} ended before it answered; see above.`);
  });
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal }), ended])) as [unknown];
    return answer;
  } finally {
    ended.catch(() => undefined);
    controller.abort();
  }
}

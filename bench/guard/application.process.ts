import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Route } from './route.js';

const MAIN = fileURLToPath(new URL('./application.main.js', import.meta.url));

export interface Usage {
  /** How busy the event loop was, from 0 to 1. Well below 1, the load was too weak to find the limit. */
  busy: number;
  cpuMicroseconds: number;
}

/** An application in a process of its own, so that it shares neither event loop nor memory with the load. */
export class ApplicationProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly routes: Readonly<Record<string, Route>>,
  ) {}

  static async start(name: string, databaseUrl: string): Promise<ApplicationProcess> {
    const child = fork(MAIN, [name, databaseUrl], {
      // What an application says is no figure.
      stdio: ['ignore', process.stderr, process.stderr, 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, NODE_ENV: 'production' },
    });
    return new ApplicationProcess(child, (await answerOf(child, name)) as Record<string, Route>);
  }

  /** @returns what it has used since the last call. */
  async usage(): Promise<Usage> {
    this.child.send('usage?');
    return (await answerOf(this.child, 'the application')) as Usage;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }
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

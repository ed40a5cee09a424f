import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { KEYS } from './keys.js';

const MAIN = fileURLToPath(import.meta.resolve('./key.change.main.js'));

/** A change of keys that goes on in a process of its own while the instances serve. */
export class KeyChange {
  private readonly ended: Promise<unknown[]>;

  private constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'exit');
  }

  /** @param number of the change: each goes back to the key of the one before the last. */
  static start(databaseUrl: string, number: number): KeyChange {
    const { kid } = KEYS[number % 2 === 0 ? 1 : 0];
    return new KeyChange(fork(MAIN, [databaseUrl, kid], { stdio: ['ignore', 2, 2, 'ipc'] }));
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** @throws if it could not be done. */
  async end(): Promise<void> {
    const [code] = await this.ended;
    if (code !== 0) throw new Error('A change of keys has failed; see above.');
  }
}

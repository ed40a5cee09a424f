import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

/**
 * A file that says by its process id who uses the file beside it. It is left behind by a process that was killed: then
 * it is taken over.
 */
export class StateLock {
  constructor(readonly path: string) {}

  /** @returns the process that has it; undefined if it is ours now. */
  take(): number | undefined {
    if (this.create()) return undefined;
    const holder = this.holder();
    if (holder !== undefined) return holder;
    rmSync(this.path, { force: true });
    // Of two that take it over at once, one creates it.
    return this.create() ? undefined : this.holder();
  }

  release(): void {
    rmSync(this.path, { force: true });
  }

  private create(): boolean {
    try {
      writeFileSync(this.path, `${String(process.pid)}\n`, { mode: 0o600, flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    }
  }

  /** @returns undefined if nobody has it who still runs. */
  private holder(): number | undefined {
    let pid: number;
    try {
      pid = Number(readFileSync(this.path, 'utf8'));
      if (pid === process.pid && this.isOlderThanThisProcess()) return undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    return Number.isInteger(pid) && pid > 0 && isRunning(pid) ? pid : undefined;
  }

  /** In a container each start has the same process id, so a killed process may have had ours. */
  private isOlderThanThisProcess(): boolean {
    return statSync(this.path).mtimeMs < Date.now() - process.uptime() * 1000;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs, as another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Wider lines are hard to read, narrower ones too. */
const MAX_COLUMNS = 100;
const MIN_COLUMNS = 40;

/** What a command sees of the process that it runs in. */
export interface Shell {
  /** What is set; a command may add to it. */
  env: NodeJS.ProcessEnv;
  /** The working directory. */
  folder: string;
  /** How many columns a line of text may take. */
  columns: number;
  stdin: AsyncIterable<string | Buffer>;
  /** Whether stdin is a person at a keyboard, rather than a pipe or a file. */
  isInteractive: boolean;
  /** Text as it is, without a line break of its own: to stdout, and to stderr. */
  write: (text: string) => void;
  writeError: (text: string) => void;
  /**
   * For a command that goes on until it is told to stop: resolves at Ctrl-C or a signal to end. From the call on these
   * do not end the process by themselves.
   */
  untilStopped: () => Promise<void>;
}

export function processShell(): Shell {
  survivePipesThatClose();
  const columns = process.stdout.columns as number | undefined; // undefined where stdout is no terminal
  return {
    env: process.env,
    folder: process.cwd(),
    columns: Math.min(Math.max(columns ?? MAX_COLUMNS, MIN_COLUMNS), MAX_COLUMNS),
    stdin: process.stdin,
    isInteractive: process.stdin.isTTY,
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
    untilStopped,
  };
}

/** `migrate | head -1` must not end a migration half way: what nobody reads is dropped, the work goes on. */
function survivePipesThatClose(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** npm and npx pass the terminal's Ctrl-C on, so it comes twice; the second must not cut short the end. */
function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve());
  });
}

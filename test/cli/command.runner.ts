import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { runProgram } from '../../src/cli/program.js';

const HOOKS = pathToFileURL(join(import.meta.dirname, '../support/typescript.hooks.mjs')).href;
const MAIN = resolve(import.meta.dirname, '../../src/cli/main.ts');

/** A folder from which the packages of the repository are found, without a `.env`. */
export const FOLDER_WITH_PACKAGES = import.meta.dirname;

export interface CommandOptions {
  /** The whole environment; a process of its own has PATH besides. */
  env?: Record<string, string>;
  /** Default: an empty folder. */
  cwd?: string;
  /** What is piped to it. Default: nothing, and the end at once. */
  input?: string;
}

export interface CommandRun {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs `nestjs-wechat-auth` in this process, which saves loading everything each time.
 *
 * @throws if a secret of `env` stands in what it printed: none may, ever.
 */
export function runCommand(args: readonly string[], options: CommandOptions = {}): Promise<CommandRun> {
  return guarded(options, async ({ cwd, env, input }) => {
    const run = { stdout: '', stderr: '' };
    const exitCode = await runProgram(args, {
      env: { ...env },
      folder: cwd,
      columns: 100,
      stdin: Readable.from([Buffer.from(input)]),
      isInteractive: false,
      write: (text) => (run.stdout += text),
      writeError: (text) => (run.stderr += text),
      untilStopped: () => Promise.resolve(),
    });
    return { exitCode, ...run };
  });
}

/**
 * Runs `nestjs-wechat-auth` in a process of its own, as a shell does: on the sources, so that no build is needed.
 *
 * @param onStart called with the process as soon as it runs.
 * @throws if a secret of `env` stands in what it printed.
 */
export function spawnCommand(
  args: readonly string[],
  options: CommandOptions & { onStart?: (command: ChildProcess) => void } = {},
): Promise<CommandRun> {
  return guarded(options, async ({ cwd, env, input }) => {
    const command = spawn(process.execPath, ['--import', HOOKS, MAIN, ...args], {
      cwd,
      env: { PATH: process.env.PATH, ...env },
    });
    const ended = endOf(command);
    command.stdin.on('error', () => undefined); // it may end without reading
    command.stdin.end(input);
    options.onStart?.(command);
    return ended;
  });
}

async function guarded(
  { cwd, env = {}, input = '' }: CommandOptions,
  start: (options: Required<CommandOptions>) => Promise<CommandRun>,
): Promise<CommandRun> {
  const emptyFolder = mkdtempSync(join(tmpdir(), 'nestjs-wechat-auth-cli-'));
  try {
    const run = await start({ cwd: cwd ?? emptyFolder, env, input });
    for (const secret of secretsOf(env)) {
      if ((run.stdout + run.stderr).includes(secret)) {
        throw new Error(`The command printed the secret ${secret}:\n${run.stdout}\n${run.stderr}`);
      }
    }
    return run;
  } finally {
    rmSync(emptyFolder, { recursive: true, force: true });
  }
}

async function endOf(command: ChildProcess): Promise<CommandRun> {
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    command[name]?.setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
  }
  const exitCode = await new Promise<number | null>((done, fail) => {
    command.once('error', fail);
    command.once('close', done);
  });
  return { exitCode, ...printed };
}

function secretsOf({
  WECHAT_APP_SECRET,
  WECHAT_AUTH_KEYS,
  DATABASE_URL,
  HTTPS_PROXY,
}: Record<string, string>): string[] {
  const keys = (WECHAT_AUTH_KEYS ?? '').split(',').map((key) => key.slice(key.indexOf(':') + 1));
  const passwords = [DATABASE_URL, HTTPS_PROXY].map((url) => /\/\/[^:/]*:(.*)@/.exec(url ?? '')?.[1] ?? '');
  // A shorter one, such as the password postgres, may stand there as an ordinary word.
  return [WECHAT_APP_SECRET ?? '', ...keys, ...passwords].filter((secret) => secret.length >= 12);
}

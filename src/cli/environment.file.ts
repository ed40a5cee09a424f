import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import { CommandFailure } from './command.failure.js';

export interface EnvironmentFileOptions {
  settings?: string;
}

/** Not `--env-file`: Node.js takes that for itself wherever it stands on the command line. */
export function addEnvironmentFileOption(command: Command): Command {
  return command.option('--settings <file>', 'read settings from this file (default: .env, if there is one)');
}

/**
 * Puts the settings of a file into the environment, as a host's configuration does. What is set already stays.
 *
 * @param file default: `.env`, if there is one.
 * @returns the path of the file that was read, if one was.
 * @throws {CommandFailure} if a file was asked for by name, or is there, and cannot be read.
 */
export function loadEnvironmentFile(
  file: string | undefined,
  folder: string,
  env: NodeJS.ProcessEnv,
): string | undefined {
  const path = resolve(folder, file ?? '.env');
  if (!isFile(path)) {
    if (file === undefined) return undefined;
    throw new CommandFailure(
      { problem: `There is no file ${path}.`, cure: 'Correct --settings, or leave it out for .env.' },
      { isWrongUsage: true },
    );
  }
  for (const [name, value] of Object.entries(parseEnv(readText(path, file !== undefined))))
    env[name] ??= value;
  return path;
}

/** A folder named .env is a virtual environment of Python's, and none of ours. */
function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // Reading it says why.
    return true;
  }
}

function readText(path: string, isWrongUsage: boolean): string {
  const text = readUtf8(path, isWrongUsage);
  if (/[\0\uFFFD]/.test(text)) {
    throw new CommandFailure(
      {
        problem: `The file ${path} is not in UTF-8; it may be in UTF-16 or GBK.`,
        cure: 'Save it again with the encoding UTF-8. In PowerShell, > and Out-File write UTF-16: add -Encoding utf8.',
      },
      { isWrongUsage },
    );
  }
  // Some editors of Windows begin a file with a byte order mark, which would become part of the first name.
  return text.replace(/^\uFEFF/, '');
}

function readUtf8(path: string, isWrongUsage: boolean): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailure(
      {
        problem: `The file ${path} cannot be read (${code ?? 'unknown reason'}).`,
        cure: 'Make it readable for this user, or name another one with --settings.',
      },
      { isWrongUsage },
    );
  }
}

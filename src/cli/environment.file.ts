import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import { CommandFailure } from './command.failure.js';
import { readTextFile } from './text.file.js';

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
  const text = readTextFile(path, { namedBy: '--settings', isWrongUsage: file !== undefined });
  for (const [name, value] of Object.entries(parseEnv(text))) env[name] ??= value;
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

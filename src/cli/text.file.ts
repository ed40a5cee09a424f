import { readFileSync } from 'node:fs';
import { CommandFailure } from './command.failure.js';

export interface TextFileOptions {
  /** What names the file, for example `--settings`. */
  namedBy: string;
  /** Whether it was asked for by name. Default true. */
  isWrongUsage?: boolean;
}

/** @throws {CommandFailure} if it cannot be read, or is not in UTF-8. */
export function readTextFile(path: string, { namedBy, isWrongUsage = true }: TextFileOptions): string {
  const text = readUtf8(path, namedBy, isWrongUsage);
  if (/[\0\uFFFD]/.test(text)) {
    throw new CommandFailure(
      {
        problem: `The file ${path} is not in UTF-8; it may be in UTF-16 or GBK.`,
        cure: 'Save it again with the encoding UTF-8. In PowerShell, > and Out-File write UTF-16: add -Encoding utf8.',
      },
      { isWrongUsage },
    );
  }
  // Some editors of Windows begin a file with a byte order mark, which would become part of what comes first.
  return text.replace(/^\uFEFF/, '');
}

function readUtf8(path: string, namedBy: string, isWrongUsage: boolean): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === 'ENOENT'
        ? { problem: `There is no file ${path}.`, cure: `Correct ${namedBy}.` }
        : {
            problem: `The file ${path} cannot be read (${code ?? 'unknown reason'}).`,
            cure: `Make it readable for this user, or name another one with ${namedBy}.`,
          };
    throw new CommandFailure(problem, { isWrongUsage });
  }
}

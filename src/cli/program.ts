import { Command, CommanderError } from 'commander';
import { COMMANDS } from './commands/index.js';
import { CommandFailure } from './command.failure.js';
import { packageInfo } from './package.info.js';
import { maskSecrets } from './secrets.js';
import type { Shell } from './shell.js';

/** The exit codes of every command. */
const EXIT = { fine: 0, failed: 1, wrongUsage: 2 } as const;

/** Runs one command line. @returns the exit code; whatever goes wrong is told on stderr. */
export async function runProgram(args: readonly string[], shell: Shell): Promise<number> {
  let exitCode: number = EXIT.fine;
  const endWith = (code: number): void => {
    exitCode = code;
  };
  try {
    await createProgram(shell, endWith).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return tellError(error, shell);
  }
}

function createProgram(shell: Shell, endWith: (exitCode: number) => void): Command {
  const program = new Command('nestjs-wechat-auth')
    .description("The commands of nestjs-wechat-auth, sign-in with WeChat's web-page OAuth for NestJS.")
    .version(packageInfo().version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // Commands that are added below take these over.
    .exitOverride()
    .configureOutput({
      writeOut: shell.write,
      writeErr: shell.writeError,
      outputError: (text, write) => write(shorten(text)),
      getOutHelpWidth: () => shell.columns,
      getErrHelpWidth: () => shell.columns,
    })
    .showHelpAfterError('Add --help to see what there is.')
    .addHelpText('after', '\nExit codes: 0 fine, 1 something was found or failed, 2 wrong usage.');
  for (const addTo of COMMANDS) addTo(program, shell, endWith);
  return program;
}

function tellError(error: unknown, { env, writeError }: Shell): number {
  if (error instanceof CommanderError) {
    // Help and the version come as errors too, with the code 0. All else is a wrong command line.
    return error.exitCode === 0 ? EXIT.fine : EXIT.wrongUsage;
  }
  if (error instanceof CommandFailure) {
    writeError(`error: ${error.message}\n`);
    return error.isWrongUsage ? EXIT.wrongUsage : EXIT.failed;
  }
  const missing = missingPackage(error);
  if (missing !== undefined) {
    writeError(
      `error: The package ${missing} is not installed.\nIn the folder of the application run: npm install ${missing}\n`,
    );
    return EXIT.failed;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeError(
    `error: This is a bug of nestjs-wechat-auth; please report it with the lines below.\n${maskSecrets(stack, env)}\n`,
  );
  return EXIT.failed;
}

/** The commands load TypeORM and its driver, which are the host's, only when they need them. */
function missingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND')
    return undefined;
  return /^Cannot find package '([^']+)'/.exec(error.message)?.[1];
}

/** What looks like the name of a command or an option, and not like a secret. */
const NAME = /^-{0,2}[a-z][a-z-]{0,20}$/;

/** commander repeats what it does not know, which may be a secret with quotation marks of its own in it. */
function shorten(text: string): string {
  return text
    .replace(/(unknown (?:command|option)) '([\s\S]*)'/, (_, what: string, given: string) => {
      const [name = ''] = given.split('=', 1);
      if (!NAME.test(name)) return `${what} '…'`;
      return `${what} '${name === given ? name : `${name}=…`}'`;
    })
    .replace(/(argument) '([\s\S]*)'( is invalid)/, (_, before: string, given: string, after: string) =>
      NAME.test(given) ? `${before} '${given}'${after}` : `${before} '…'${after}`,
    );
}

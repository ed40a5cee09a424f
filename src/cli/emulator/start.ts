import { resolve } from 'node:path';
import { createWechatEmulator, type WechatEmulator, WechatEmulatorError } from '../../emulator/index.js';
import type { WechatEmulatorOptions } from '../../emulator/emulator.options.js';
import { CommandFailure } from '../command.failure.js';
import { readEmulatorConfig } from './config.file.js';

/** What is given on the command line. It wins over what the file says. */
export interface EmulatorCommandOptions {
  port?: number;
  config?: string;
  state?: string;
  seed?: string;
}

/** A running emulator, and what of it was configured. */
export interface StartedEmulator {
  wechat: WechatEmulator;
  options: WechatEmulatorOptions;
}

/** Where the example of an environment has it, so that a callback registered once stays right. */
export const DEFAULT_PORT = 3010;

/** @throws {CommandFailure} if it cannot start for a reason that whoever typed the command can mend. */
export async function startEmulator(
  { port, config, state, seed }: EmulatorCommandOptions,
  folder: string,
): Promise<StartedEmulator> {
  const file = config === undefined ? undefined : resolve(folder, config);
  try {
    const options: WechatEmulatorOptions = {
      port: DEFAULT_PORT,
      ...(file === undefined ? {} : readEmulatorConfig(file)),
      ...(port === undefined ? {} : { port }),
      ...(state === undefined ? {} : { stateFile: resolve(folder, state) }),
      ...(seed === undefined ? {} : { seed }),
    };
    return { wechat: await createWechatEmulator(options), options };
  } catch (error) {
    throw error instanceof WechatEmulatorError ? failure(error, file) : error;
  }
}

function failure(error: WechatEmulatorError, file: string | undefined): CommandFailure {
  if (error.code === 'emulator_port') return portFailure(error);
  return error.code === 'emulator_option' && file !== undefined
    ? new CommandFailure({ problem: error.message, cure: `Correct it in ${file}.` }, { isWrongUsage: true })
    : new CommandFailure({ problem: error.message, cure: 'Or name another file with --state.' });
}

function portFailure({ message, cause }: WechatEmulatorError): CommandFailure {
  const { code, port } = cause as NodeJS.ErrnoException & { port?: number };
  return new CommandFailure(
    code === 'EADDRINUSE'
      ? {
          problem: `Port ${String(port)} of 127.0.0.1 is in use.`,
          cure: 'Another emulator may run there: stop it, or choose another port with --port. 0 takes any free one.',
        }
      : { problem: message, cure: 'It is set by --port.' },
  );
}

import type { Command } from 'commander';
import type { Shell } from '../shell.js';
import { addDoctor } from './doctor.command.js';
import { addEmulator } from './emulator.command.js';
import { addExplain } from './explain.command.js';
import { addMigrate } from './migrate.command.js';
import { addRotateKeys } from './rotate-keys.command.js';

/** Adds one command to the program. Its work is loaded when it runs: `explain` needs no database. */
export type AddCommand = (program: Command, shell: Shell, endWith: (exitCode: number) => void) => void;

/** Every command, one file each, in the order of the help. */
export const COMMANDS: readonly AddCommand[] = [
  addMigrate,
  addDoctor,
  addExplain,
  addEmulator,
  addRotateKeys,
];

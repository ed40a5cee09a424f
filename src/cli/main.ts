#!/usr/bin/env node
import { runProgram } from './program.js';
import { processShell } from './shell.js';

/** How long a connection that refuses to close may hold up the end. */
const LINGER_MS = 1_000;

void runProgram(process.argv.slice(2), processShell()).then((exitCode) => {
  // Rather than process.exit(), which would cut off what a pipe has not taken yet.
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});

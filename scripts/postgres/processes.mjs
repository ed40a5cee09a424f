// Running PostgreSQL's programs, and what to say when they cannot be run.
import { spawn } from 'node:child_process';

export const DATABASE_URL_CURE = 'or set DATABASE_URL to a PostgreSQL server of yours';

export function commonOptions(user) {
  // Not our own environment: PGDATA, PGOPTIONS or a locale in it would change what the server does.
  return { ...user, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } };
}

/** Runs a program to its end. What it prints and why it could not run are both in `output`. */
export function run(file, args, { user, descriptor = 'ignore' }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...commonOptions(user),
      stdio: ['ignore', 'pipe', 'pipe', descriptor],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.once('error', (error) => resolve({ code: -1, output: error.message }));
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }));
  });
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

export function tail(text) {
  return text.trimEnd().split('\n').slice(-15).join('\n');
}

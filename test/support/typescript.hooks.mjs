// Lets Node.js run the sources as they are: `node --import ./typescript.hooks.mjs src/cli/main.ts`. So the tests start
// the real command, in a process of its own, and need no build.
import { existsSync, readFileSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformSync } from '@swc/core';

if (isMainThread) register(import.meta.url); // Node.js loads this file again, in the thread that the hooks run in

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The sources import './x.js', as Node.js will find it after the build; here the file is x.ts. */
export function resolve(specifier, context, nextResolve) {
  if (specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.endsWith('.ts')) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (existsSync(source)) return { url: source.href, shortCircuit: true };
  }
  return nextResolve(specifier, context);
}

export function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context);
  const filename = fileURLToPath(url);
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    root: ROOT,
    cwd: ROOT,
    sourceMaps: false,
  });
  return { format: 'module', source: code, shortCircuit: true };
}

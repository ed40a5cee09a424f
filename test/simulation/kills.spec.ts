import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, jest } from '@jest/globals';

// Four instances are started, and three of them killed.
jest.setTimeout(180_000);

const HOOKS = pathToFileURL(resolve(import.meta.dirname, '../support/typescript.hooks.mjs')).href;
const MAIN = resolve(import.meta.dirname, '../../simulation/kills/kills.main.ts');

it('loses nothing where instances are killed during sign-ins, refreshes and a change of keys', async () => {
  const words = ['--import', HOOKS, MAIN, '--kills', '3', '--seed', '1', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, words, { env: { ...process.env } });
  expect(JSON.parse(stdout)).toMatchObject({ kills: 3, lost: 0, keyChanges: 1 });
});

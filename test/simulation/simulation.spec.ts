import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const HOOKS = join(ROOT, 'test/support/typescript.hooks.mjs');
/** Ten thousand steps, however few users there are. */
const TIME_LIMIT_MS = 10 * 60_000;

/** What goes wrong is said on the standard error, which a failure shows. */
async function simulate(...words: string[]): Promise<Record<string, unknown>> {
  const main = join(ROOT, 'simulation/main.ts');
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', HOOKS, main, ...words, '--json'],
    { cwd: ROOT, timeout: TIME_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout.trimEnd()) as Record<string, unknown>;
}

it(
  'a month of a few users passes on three instances, of which some are killed, and all that must hold holds',
  async () => {
    const summary = await simulate('--users', '12', '--days', '35', '--seed', '1');
    expect(summary).toMatchObject({ users: 12, days: 35, seed: '1', violations: 0, rotations: 1 });
    // A month in which nothing happens proves nothing.
    const { visits, signIns, consentScreens, refreshes, kills, outages, quotas } = summary;
    for (const count of [visits, signIns, consentScreens, refreshes, kills, outages, quotas]) {
      expect(count).toBeGreaterThan(0);
    }
  },
  TIME_LIMIT_MS,
);

it('says how it is used where the words make no sense', async () => {
  await expect(simulate('--users', 'many')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('npm run simulate'),
  });
});

import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { run } from './commands.js';
import { entryPoints, tarball } from './tarball.js';

const tools = resolve(import.meta.dirname, '../../node_modules/.bin');

describe('the tarball', () => {
  it('gives publint nothing to say, not even a suggestion', async () => {
    const { stdout } = await run([`${tools}/publint`, '--strict', tarball], import.meta.dirname);
    expect(stdout).toContain('All good!');
  });

  it('has types that are right for every entry point', async () => {
    // esm-only: an application in CommonJS loads the package too, by Node's own require() of ES modules.
    const command = [`${tools}/attw`, tarball, '--profile', 'esm-only', '--format', 'json'];
    const { stdout } = await run(command, import.meta.dirname);
    const { analysis } = JSON.parse(stdout) as { analysis: { entrypoints: Record<string, unknown> } };
    const checked = Object.keys(analysis.entrypoints).map(
      (subpath) => `nestjs-wechat-auth${subpath.slice(1)}`,
    );
    expect(checked).toEqual(expect.arrayContaining([...entryPoints]));
  });
});

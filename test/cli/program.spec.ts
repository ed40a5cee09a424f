import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { packageInfo } from '../../src/cli/package.info.js';
import { runProgram } from '../../src/cli/program.js';
import type { Shell } from '../../src/cli/shell.js';
import { wrap } from '../../src/cli/text.layout.js';
import { runCommand, spawnCommand } from './command.runner.js';

describe('nestjs-wechat-auth', () => {
  it('prints its help, and that of each command with examples', async () => {
    const help = await spawnCommand(['--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    for (const name of ['migrate', 'doctor', 'explain', 'emulator', 'rotate-keys']) {
      expect(help.stdout).toContain(`\n  ${name} `);
      const ofCommand = await runCommand([name, '--help']);
      expect(ofCommand).toMatchObject({ exitCode: 0, stderr: '' });
      expect(ofCommand.stdout).toContain(`Examples:\n  $ npx nestjs-wechat-auth ${name}`);
      expect(ofCommand.stdout).toContain('Exit codes:');
      expect(await runCommand(['help', name])).toEqual(ofCommand);
    }
  });

  it('prints its version', async () => {
    expect(await spawnCommand(['--version'])).toEqual({
      exitCode: 0,
      stdout: `${packageInfo().version}\n`,
      stderr: '',
    });
  });

  it.each<[string, string[], string]>([
    ['no command', [], 'Usage: nestjs-wechat-auth'],
    ['an unknown command', ['migrat'], 'Did you mean migrate?'],
    ['an unknown option', ['doctor', '--jsno'], 'Did you mean --json?'],
    ['an unknown option of explain', ['explain', '48001', '--jsno'], '--jsno'],
    ['an option without its value', ['migrate', '--schema'], 'argument missing'],
    ['too many words', ['doctor', 'now'], 'too many arguments'],
    ['a language that is none', ['explain', '1', '--lang', 'fr'], 'Allowed choices are zh, en, both'],
    ['a time that is none', ['migrate', '--wait', 'long'], 'whole number of seconds'],
    ['a size that is none', ['rotate-keys', '--batch-size', '0'], 'number of rows, 1 to 10000'],
  ])('ends with 2 and says what is wrong with %s', async (_, args, words) => {
    const { exitCode, stdout, stderr } = await runCommand(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).toMatch(/--help/);
  });

  it('repeats no value of an option that it does not know, and no address', async () => {
    const address = 'postgres://shop:hunter2@db/shop';
    for (const args of [
      ['migrate', `--url=${address}`],
      [address],
      ['doctor', address],
      ['migrate', '--wait', address],
    ]) {
      const { exitCode, stderr } = await runCommand(args);
      expect(exitCode).toBe(2);
      expect(stderr).not.toContain('hunter2');
    }
  });

  it('repeats nothing that may be a secret, whatever stands in it', async () => {
    for (const args of [
      ['0123456789abcdef0123456789abcdef'],
      ['migrate', "--url=postgres://shop:o'0123456789abcdef@db/shop"],
      ['migrate', "--o'0123456789abcdef"],
      ['explain', '--', '-k0123456789abcdef'],
      ['migrate', '--schema', `0123456789abcdef"x'y`],
      ['migrate', '--wait', "0123456789abcdef' is invalid"],
    ]) {
      const { exitCode, stderr } = await runCommand(args);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('…');
      expect(stderr).not.toContain('9abcdef');
    }
  });

  it('takes a pasted line that begins with a hyphen for what it is', async () => {
    const { exitCode, stdout } = await runCommand([
      'explain',
      '- login failed: errcode=40029',
      '--lang',
      'en',
    ]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('40029  invalid code');
  });

  it('takes options among the words of a pasted command for a part of it', async () => {
    const { exitCode, stdout } = await runCommand(
      ['explain', 'curl', '-s', 'https://api.weixin.qq.com/sns/userinfo', 'errcode 40029'],
      { env: { LANG: 'en' } },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('40029  invalid code');
  });

  it('does not mind a reader that has gone', async () => {
    const run = await spawnCommand(['explain', '--list'], { onStart: ({ stdout }) => stdout?.destroy() });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('prints no colours, also where somebody asks for them', async () => {
    const { stdout } = await spawnCommand(['explain', '48001'], { env: { FORCE_COLOR: '1' } });
    expect(stdout).not.toContain('\u001b');
  });

  it('owns up to a bug, with the stack and without the secrets', async () => {
    const printed: string[] = [];
    const env = {
      DATABASE_URL: 'postgres://shop:p%40ss@db/shop',
      WECHAT_APP_SECRET: '0123456789abcdef0123456789abcdef',
      WECHAT_AUTH_KEYS: 'k1:3q2+7w==,k2:yv66vg==',
    };
    const shell: Shell = {
      env,
      folder: '/',
      columns: 80,
      stdin: Readable.from([]),
      isInteractive: false,
      write: () => {
        throw new Error(`no: ${Object.values(env).join(' ')} p@ss`);
      },
      writeError: (text) => printed.push(text),
      untilStopped: () => Promise.resolve(),
    };
    expect(await runProgram(['explain', '48001'], shell)).toBe(1);
    const text = printed.join('');
    expect(text).toContain('This is a bug of nestjs-wechat-auth');
    expect(text).toContain('program.spec.ts');
    expect(text).not.toMatch(/p%40ss|p@ss|0123456789abcdef|3q2\+7w|yv66vg/);
  });

  it('asks a person at a keyboard what to explain, rather than to wait in silence', async () => {
    const printed: string[] = [];
    const shell: Shell = {
      env: {},
      folder: '/',
      columns: 80,
      stdin: Readable.from([]),
      isInteractive: true,
      write: (text) => printed.push(text),
      writeError: (text) => printed.push(text),
      untilStopped: () => Promise.resolve(),
    };
    expect(await runProgram(['explain'], shell)).toBe(2);
    expect(printed.join('')).toContain('explain 48001');
  });
});

describe('a paragraph', () => {
  it('is broken between words, indented, and long words stay whole', () => {
    expect(wrap('one two three https://example.com/a/long/address four', 16, '  ', '1 ')).toBe(
      ['1 one two three', '  https://example.com/a/long/address', '  four'].join('\n'),
    );
  });

  it('is broken between Chinese characters, of two columns each, but never before a closing sign', () => {
    expect(wrap('用户没有同意，token 读不到“资料”。', 13)).toBe(
      ['用户没有同', '意，token 读', '不到“资', '料”。'].join('\n'),
    );
    expect(wrap('the filing (备案).', 15)).toBe(['the filing (备', '案).'].join('\n'));
  });
});

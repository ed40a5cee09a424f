import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { WechatEmulatorOptions } from '../../src/emulator/index.js';
import { closeEmulators, DAY_MS, START, startEmulator, user } from '../emulator/emulator.harness.js';

const ROOT = resolve(import.meta.dirname, '../..');
const SCRIPT = 'examples/emulator/sign-in.sh';

interface Run {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

afterEach(closeEmulators);

/** Runs the script with the machine's own shell and curl. A proxy that its environment names is passed by. */
async function runScript(...args: string[]): Promise<Run> {
  const shell = spawn('sh', [SCRIPT, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, http_proxy: 'http://127.0.0.1:9' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  shell.stdout.setEncoding('utf8').on('data', (text: string) => (printed.stdout += text));
  shell.stderr.setEncoding('utf8').on('data', (text: string) => (printed.stderr += text));
  const exitCode = await new Promise<number | null>((done, fail) => {
    shell.once('error', fail);
    shell.once('close', done);
  });
  return { exitCode, ...printed };
}

describe(SCRIPT, () => {
  it('signs a user in, replays the code, travels 31 days and sees 42002, with curl alone', async () => {
    const wechat = await startEmulator();
    const { exitCode, stdout, stderr } = await runScript(wechat.url);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const steps = [
      `"openid":"${user(wechat).openid}","nickname":"林小满"`,
      '{"errcode":40163,"errmsg":"code been used',
      `{"now":"${new Date(START.getTime() + 31 * DAY_MS).toISOString()}"}`,
      '{"errcode":42001,"errmsg":"access_token expired',
      '{"errcode":42002,"errmsg":"refresh_token expired',
      'All as expected.',
    ];
    expect(
      steps.map((step) => stdout.indexOf(step)).every((at, index, all) => at > (all[index - 1] ?? 0)),
    ).toBe(true);
    expect(wechat.requests.map(({ endpoint }) => endpoint ?? 'reply')).toEqual([
      'authorize',
      'reply',
      'token',
      'userinfo',
      'token',
      'userinfo',
      'refresh',
    ]);
  });

  it('can be run again on the same emulator', async () => {
    const wechat = await startEmulator();
    await wechat.failNext('token', { hang: true });
    await runScript(`${wechat.url}/`);
    expect((await runScript(`${wechat.url}/`)).exitCode).toBe(0);
  });

  it.each<[string, WechatEmulatorOptions, string]>([
    [
      'a refresh token that lives longer',
      { refreshTokenLifetimeMs: 60 * DAY_MS },
      'expected "errcode":42002, got: {"openid":"',
    ],
    ['a page that is not there', { requireWechatUserAgent: true }, 'expected 0, got: '],
  ])('fails with 1 at what is not as expected: %s', async (_, options, words) => {
    const wechat = await startEmulator(options);
    const { exitCode, stdout, stderr } = await runScript(wechat.url);

    expect(exitCode).toBe(1);
    expect(stderr).toContain(words);
    expect(stdout).not.toContain('All as expected.');
  });

  it('fails where there is no emulator, and where none is named', async () => {
    const { url, close } = await startEmulator();
    await close();
    const { exitCode, stderr } = await runScript(url);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('curl: (7)');
    expect(await runScript()).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('uses nothing but curl and what every POSIX shell has', () => {
    const text = readFileSync(resolve(ROOT, SCRIPT), 'utf8');
    expect(text).toMatch(/^#!\/bin\/sh\n/);
    expect(text).not.toMatch(/\b(jq|python|node|perl|awk|grep -[oP]|local|\[\[|function)\b/);
  });
});

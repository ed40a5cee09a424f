import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { freePort } from '../support/test-app.js';

const START_TIMEOUT_MS = 120_000;

describe('npm start', () => {
  let directory: string;
  let environment: NodeJS.ProcessEnv;
  let browser: TestBrowser;
  let url: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'demo-'));
    const port = String(await freePort());
    url = `http://127.0.0.1:${port}`;
    const { DATABASE_URL: _, ...rest } = process.env;
    environment = {
      ...rest,
      DEMO_DIRECTORY: directory,
      PORT: port,
      WECHAT_EMULATOR_PORT: String(await freePort()),
    };
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Starts the demo, and waits until it says what to open. */
  async function start(): Promise<ChildProcess> {
    const demo = spawn('npm', ['start', '--silent'], {
      cwd: resolve(import.meta.dirname, '../..'),
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    await new Promise<void>((ready, fail) => {
      const read = (text: Buffer): void => {
        output += String(text);
        if (output.includes(url)) ready();
      };
      demo.stdout.on('data', read);
      demo.stderr.on('data', read);
      demo.once('exit', (code) => {
        fail(new Error(`npm start ended with ${String(code)}:\n${output}`));
      });
    });
    return demo;
  }

  async function stop(demo: ChildProcess): Promise<void> {
    const ended = once(demo, 'exit');
    demo.kill('SIGINT');
    await ended;
    await expect(fetch(url)).rejects.toThrow();
  }

  it(
    'signs a person in with both scopes, knows them after a restart, and signs them out',
    async () => {
      let demo = await start();
      const page = await browser.newPage({ phone: true });
      await page.goto(`${url}/base`);
      await page.getByRole('heading', { name: '微信用户' }).waitFor();
      await page.goto(`${url}/userinfo`);
      await page.getByRole('link', { name: '继续' }).click();
      await page.getByRole('button', { name: '允许' }).click();
      await page.getByRole('heading', { name: '林小满' }).waitFor();
      await stop(demo);

      demo = await start();
      await page.goto(url);
      await page.getByRole('heading', { name: '林小满' }).waitFor();
      await page.getByRole('button', { name: '退出登录' }).click();
      await page.getByRole('heading', { name: '微信网页授权' }).waitFor();
      await stop(demo);
    },
    2 * START_TIMEOUT_MS,
  );
});

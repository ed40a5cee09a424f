import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createWechatEmulator, type WechatEmulator } from '../../src/emulator/index.js';
import { certify, createAuthority } from '../support/certificate.authority.js';
import { type CommandRun, runCommand, spawnCommand } from './command.runner.js';

interface Ready {
  url: string;
  tlsUrl?: string;
  controlUrl: string;
  pid: number;
  apps: { appId: string }[];
  env: Record<string, string>;
}

interface RunningEmulator {
  ready: Ready;
  stop: (signal: NodeJS.Signals) => Promise<CommandRun>;
}

const SECRET = 'b7c9a1d3e5f70812b7c9a1d3e5f70812';
const APP = { appId: 'wx1111111111111111', appSecret: SECRET, redirectDomains: ['localhost'] };

const processes: ChildProcess[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wechat-emulator-command-'));
});

afterEach(() => {
  // Those that a failed test has left.
  for (const { exitCode, signalCode, pid } of processes.splice(0)) {
    if (exitCode === null && signalCode === null && pid !== undefined) process.kill(pid, 'SIGKILL');
  }
  rmSync(folder, { recursive: true });
});

/** Starts `emulator --json` in a process of its own, on any free port, and waits until it says that it is ready. */
function start(args: readonly string[] = ['--port', '0']): Promise<RunningEmulator> {
  return new Promise((resolve, reject) => {
    const ended = spawnCommand(['emulator', '--json', ...args], {
      cwd: folder,
      onStart: (command) => {
        processes.push(command);
        let printed = '';
        command.stdout?.on('data', (chunk: string) => {
          printed += chunk;
          if (!printed.endsWith('\n')) return;
          resolve({
            ready: JSON.parse(printed) as Ready,
            stop: (signal) => {
              command.kill(signal);
              return ended;
            },
          });
        });
      },
    });
    ended.then(({ stderr }) => reject(new Error(`It ended: ${stderr}`)), reject);
  });
}

function write(name: string, content: unknown): string {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return name;
}

async function overviewOf({ controlUrl }: Pick<Ready, 'controlUrl'>): Promise<Record<string, unknown>> {
  return (await (await fetch(controlUrl)).json()) as Record<string, unknown>;
}

async function post(url: string, body: object): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await response.json()) as Record<string, string>;
}

describe('emulator', () => {
  it('says in one line of JSON when it is ready, and answers until it is told to stop', async () => {
    const { ready, stop } = await start();
    const overview = await overviewOf(ready);
    const [app] = overview['apps'] as { appId: string; appSecret: string }[];

    expect(ready).toEqual({
      url: overview['url'],
      controlUrl: `${ready.url}/emulator`,
      pid: processes[0]?.pid,
      apps: [{ appId: app?.appId, kind: 'service', name: '示例服务号' }],
      env: {
        WECHAT_OPEN_BASE_URL: ready.url,
        WECHAT_API_BASE_URL: ready.url,
        WECHAT_APP_ID: app?.appId,
        WECHAT_APP_SECRET: app?.appSecret,
      },
    });
    const run = await stop('SIGTERM');
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout.split('\n')).toHaveLength(2);
    await expect(fetch(ready.url)).rejects.toThrow();
  });

  it('stops at once at Ctrl-C, whatever requests are under way', async () => {
    const { ready, stop } = await start();
    await post(`${ready.controlUrl}/fail-next`, { endpoint: 'auth', fault: { hang: true } });
    const hanging = expect(fetch(`${ready.url}/sns/auth`)).rejects.toThrow();
    // The answer to this comes after that request has arrived.
    while (((await overviewOf(ready))['requestsTotal'] as number) === 0);

    expect(await stop('SIGINT')).toMatchObject({ exitCode: 0, stderr: '' });
    await hanging;
  });

  it('keeps what has happened over a restart, in the file of --state', async () => {
    const args = ['--port', '0', '--state', 'state.json'];
    const first = await start(args);
    const [person] = (await overviewOf(first.ready))['users'] as { openid: string }[];
    const openid = String(person?.openid);
    const tokens = await post(`${first.ready.controlUrl}/users/${openid}/authorize`, {
      scope: 'snsapi_base',
    });
    const { now } = await post(`${first.ready.controlUrl}/advance-time`, { ms: 86_400_000 * 365 });
    await first.stop('SIGTERM');

    const second = await start(args);
    expect(String((await overviewOf(second.ready))['now']) >= String(now)).toBe(true);
    const query = new URLSearchParams({ access_token: String(tokens['access_token']), openid });
    // Expired, rather than unknown.
    expect(await (await fetch(`${second.ready.url}/sns/auth?${String(query)}`)).text()).toContain(
      '"errcode":42001',
    );
    await second.stop('SIGTERM');
  });

  it('is alone with its state file, until it stops or is killed', async () => {
    const args = ['--port', '0', '--state', 'state.json'];
    const first = await start(args);
    await expect(start(args)).rejects.toThrow(`is in use by the process ${String(first.ready.pid)}.`);
    await first.stop('SIGKILL');

    const second = await start(args);
    await second.stop('SIGTERM');
    await (await start(args)).stop('SIGTERM');
  });

  it('takes its options from a file, and repeats no secret of it', async () => {
    const nicknameBytes = Buffer.from([0xe5, 0xb0]).toString('base64');
    const config = write('emulator.json', {
      apps: [APP],
      users: [{ nickname: '小', nicknameBytes, openid: 'oXiao' }],
      now: '2026-11-22T08:00:00Z',
      seed: 'file',
      stateFile: 'kept.json',
      refusal: 'page',
      port: 0,
    });
    const { ready, stop } = await start(['--config', config, '--seed', 'command line']);
    expect(await overviewOf(ready)).toMatchObject({
      now: '2026-11-22T08:00:00.000Z',
      users: [{ openid: 'oXiao', nickname: '小' }],
    });
    const { access_token } = await post(`${ready.controlUrl}/users/oXiao/authorize`, {
      scope: 'snsapi_userinfo',
    });
    const query = new URLSearchParams({ access_token: String(access_token), openid: 'oXiao' });
    const profile = await (await fetch(`${ready.url}/sns/userinfo?${String(query)}`)).arrayBuffer();
    expect(Buffer.from(profile).includes(Buffer.from([0x22, 0xe5, 0xb0, 0x22]))).toBe(true);

    const { stdout } = await stop('SIGTERM');
    expect(stdout).toContain('"WECHAT_APP_ID":"wx1111111111111111"');
    expect(stdout).not.toContain(SECRET);
    const [first = ''] = readFileSync(join(folder, 'kept.json'), 'utf8').split('\n');
    expect(JSON.parse(first)).toMatchObject({ seed: 'command line' });
  });
});

describe('emulator over TLS', () => {
  it('takes certificate and key from the files that its configuration names', async () => {
    const authority = await createAuthority();
    const { cert, key } = await certify(authority);
    write('wechat.crt', cert);
    write('wechat.key', key);
    const config = write('emulator.json', {
      tls: { certFile: 'wechat.crt', keyFile: 'wechat.key' },
      port: 0,
    });
    const { ready, stop } = await start(['--config', config]);
    const overview = await new Promise<string>((resolve, reject) => {
      get(`${String(ready.tlsUrl)}/emulator`, { ca: authority.cert }, (response) => {
        text(response).then(resolve, reject);
      }).on('error', reject);
    });

    expect(JSON.parse(overview)).toMatchObject({ url: ready.url, tlsUrl: ready.tlsUrl });
    expect((await stop('SIGTERM')).exitCode).toBe(0);
    const { stdout } = await runCommand(['emulator', '--config', config], { cwd: folder });
    expect(stdout).toMatch(/\n {2}The same over TLS {6}https:\/\/127\.0\.0\.1:\d+\n/);
  });
});

describe('emulator, for people,', () => {
  it('prints where it is, what to set, and how to end it', async () => {
    const { exitCode, stdout, stderr } = await runCommand(
      ['emulator', '--port', '0', '--state', 'state.json'],
      {
        cwd: folder,
      },
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const url = String(/http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0]);
    for (const words of [
      `  Control it from tests  ${url}/emulator\n`,
      `\n  WECHAT_OPEN_BASE_URL=${url}\n  WECHAT_API_BASE_URL=${url}\n  WECHAT_APP_ID=wx`,
      '\n  WECHAT_APP_SECRET=',
      'The secret is made up',
      `kept in ${join(folder, 'state.json')}`,
      'Ctrl-C stops it.',
    ]) {
      expect(stdout).toContain(words);
    }
  });

  it('leaves a configured secret to those who configured it', async () => {
    const config = write('emulator.json', { apps: [APP], port: 0 });
    const { stdout } = await runCommand(['emulator', '--config', config], { cwd: folder });

    expect(stdout).toContain('WECHAT_APP_ID=wx1111111111111111');
    expect(stdout).toContain('WECHAT_APP_SECRET is the appSecret that you have configured.');
    expect(stdout).not.toContain(SECRET);
  });
});

describe('emulator cannot start', () => {
  let other: WechatEmulator;
  beforeAll(async () => {
    other = await createWechatEmulator();
  });
  afterAll(() => other.close());

  function run(...args: string[]): Promise<CommandRun> {
    return runCommand(['emulator', '--port', '0', ...args], { cwd: folder });
  }

  it('where its port is taken, and says which', async () => {
    const { port } = new URL(other.url);
    const { exitCode, stdout, stderr } = await run('--port', port);

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toBe(
      `error: Port ${port} of 127.0.0.1 is in use.\n` +
        'Another emulator may run there: stop it, or choose another port with --port. 0 takes any free one.\n',
    );
  });

  it('with a state file that is something else', async () => {
    write('state.json', '[]');
    const { exitCode, stderr } = await run('--state', 'state.json');

    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${join(folder, 'state.json')} is not a state of this emulator`);
    expect(stderr).toContain('Delete it to start afresh.\nOr name another file with --state.');
  });

  it('without the file of --config', async () => {
    const { exitCode, stderr } = await run('--config', 'missing.json');

    expect(exitCode).toBe(2);
    expect(stderr).toBe(`error: There is no file ${join(folder, 'missing.json')}.\nCorrect --config.\n`);
    expect((await run('--config', '.')).stderr).toContain(`The file ${folder} cannot be read (EISDIR).`);
  });

  it.each([
    ['a port that is a word', ['--port', 'http'], 'It is a port, 0 to 65535.'],
    ['a port that is none', ['--port', '65536'], 'It is a port, 0 to 65535.'],
    ['an unknown option', ['--clock', '0'], "unknown option '--clock'"],
    ['too many words', ['emulator.json'], 'too many arguments'],
  ])('with %s', async (_, args, words) => {
    const { exitCode, stdout, stderr } = await run(...args);

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(words);
  });

  it.each<[string, unknown, string]>([
    ['is empty', '', 'is not JSON: it ends too early.'],
    ['ends in the middle', '{"port": 1', 'is not JSON'],
    ['has a comma too many', '{\n  "port": 0,\n}', 'is not JSON: see line 3, column 1.'],
    ['has a comment', '// mine\n{}', 'is not JSON'],
    ['is in UTF-16', '{\0}\0', 'is not in UTF-8'],
    ['is a list', [], 'holds no options.\nPut them into an object'],
    [
      'has a mistyped option',
      { prot: 1 },
      'options has "prot", which is unknown: there are apps, users, port',
    ],
    ['has a wrong option', { users: [{ nickname: 7 }] }, 'options.users[0].nickname is 7: give a text.'],
    ['has a time that is none', { now: 'soon' }, 'options.now is "soon": give a time as ISO 8601 writes it'],
    ['has a time that is a number', { now: 5 }, 'options.now is 5: give a time'],
    [
      'has bytes that are none',
      { users: [{ nickname: '小', nicknameBytes: 'é' }] },
      'options.users[0].nicknameBytes is "é": give the bytes as base64 text.',
    ],
    ['has users that are none', { users: [7] }, 'options.users[0] is 7: give an object.'],
    ['names a certificate by a number', { tls: { certFile: 7 } }, 'options.tls.certFile is 7: give a text.'],
    ['has a certificate without a key', { tls: { cert: '' } }, 'options.tls'],
    [
      'names a certificate that is missing',
      { tls: { certFile: 'cert.pem' } },
      'cert.pem.\nCorrect tls.certFile in ',
    ],
  ])('where the file of --config %s', async (_, content, words) => {
    const { exitCode, stdout, stderr } = await run('--config', write('emulator.json', content));

    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).toContain(join(folder, 'emulator.json'));
  });

  it('where a secret stands in broken JSON, without repeating it', async () => {
    const { stderr } = await run('--config', write('emulator.json', `{"appSecret": ${SECRET}}`));

    expect(stderr).toContain('is not JSON');
    expect(stderr).not.toContain(SECRET.slice(0, 8));
  });
});

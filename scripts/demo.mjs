// `npm start`: everything that the demo needs, in one process and one folder. It builds the package and the example,
// starts PostgreSQL and the emulated WeChat, and then the example application, which knows of none of this: it
// reads the environment that is set here. What has to outlive a restart is kept in `.demo/`.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from './embedded-postgres.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
/** Where the demo keeps what outlives a restart. */
const HOME = path.resolve(process.env.DEMO_DIRECTORY || path.join(ROOT, '.demo'));
const STOP_TIMEOUT_MS = 15_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const env = process.env;
/** What has been started, in this order, each as the function that stops it. */
const started = [];
/** The build that runs just now. */
let build;
let stopping = false;

/** Something the person at the terminal can mend: its message is all they need to see. */
class DemoError extends Error {}

async function start() {
  const port = readPort('PORT', 3000);
  const usesEmulator = !env.WECHAT_OPEN_BASE_URL && !env.WECHAT_API_BASE_URL;
  const emulatorPort = readPort('WECHAT_EMULATOR_PORT', 3010);
  if (usesEmulator && port === emulatorPort) throw portTaken('WECHAT_EMULATOR_PORT', emulatorPort);

  // Before anything else, so that a second `npm start` leaves alone what the first one runs on.
  await checkPort('PORT', port);
  if (usesEmulator) await checkPort('WECHAT_EMULATOR_PORT', emulatorPort);
  console.log('正在编译、准备数据库……  Building, preparing the database …');
  prepareHome();
  env.PORT = String(port);
  env.WECHAT_PUBLIC_URL ||= `http://127.0.0.1:${port},http://localhost:${port}`;
  env.WECHAT_AUTH_KEYS ||= sealingKeys();

  // PostgreSQL lets only one demo at a time have the folder, so it comes before the build.
  if (!env.DATABASE_URL) {
    const postgres = await startPostgres({ dataDirectory: path.join(HOME, 'postgres') }).catch((error) => {
      throw new DemoError(`无法启动 PostgreSQL。PostgreSQL could not be started.\n\n${error.message}`);
    });
    started.push(() => postgres.stop());
    env.DATABASE_URL = postgres.url;
  }
  if (stopping) return;
  await npmRun('build');
  if (stopping) return;
  await npmRun('build:examples');
  if (stopping) return;
  const emulator = usesEmulator ? await startEmulator(emulatorPort) : undefined;
  if (stopping) return;
  await startApplication(port);
  if (!stopping) tellWhatToOpen(emulator);
}

// --------------------------------------------------------------------------------------------------- the parts

async function startEmulator(port) {
  const { createWechatEmulator } = await import('nestjs-wechat-auth/emulator');
  const publicHosts = env.WECHAT_PUBLIC_URL.split(',').flatMap((url) =>
    URL.canParse(url.trim()) ? [new URL(url.trim()).hostname] : [],
  );
  const app = {
    appId: 'wx2d8f41b6c09e7a53',
    appSecret: '7c1e94a0d35b68f2e4097ab1c6d85f30',
    redirectDomains: [...new Set(publicHosts)],
    name: '微信登录演示',
  };
  const emulator = await createWechatEmulator({
    port,
    stateFile: path.join(HOME, 'wechat-emulator.json'),
    apps: [app],
    users: [
      { nickname: '林小满', unionid: 'oT8bZ1k3Vd9Qx0RmYw5LcN7uHf2A', follows: true },
      { nickname: '陈一诺🌈' },
      { nickname: '王大力' },
    ],
  }).catch((error) => {
    throw error.code === 'emulator_port' ? portTaken('WECHAT_EMULATOR_PORT', port) : error;
  });
  started.push(() => emulator.close());
  env.WECHAT_OPEN_BASE_URL = emulator.openBaseUrl;
  env.WECHAT_API_BASE_URL = emulator.apiBaseUrl;
  // The emulator knows this one account, whatever real one the environment may name.
  env.WECHAT_APP_ID = app.appId;
  env.WECHAT_APP_SECRET = app.appSecret;
  return emulator;
}

async function startApplication(port) {
  const { app } = await import('../examples/dist/demo/main.js').catch((error) => {
    if (error.code === 'EADDRINUSE' && error.syscall === 'listen') throw portTaken('PORT', port);
    // Not reached, or it refused us: classes 08, 28 and 3D of PostgreSQL's error codes.
    if (['connect', 'getaddrinfo'].includes(error.syscall) || /^(08|28|3D)/.test(error.code)) {
      throw new DemoError(
        'DATABASE_URL 指向的数据库无法连接，请改正它，或去掉它以使用自带的数据库。\n' +
          'The database that DATABASE_URL names cannot be used: correct it, or leave it out for the one included.\n\n' +
          `  ${error.message || error.code}`,
      );
    }
    throw error;
  });
  started.push(() => app.close());
}

/** Runs a script of package.json and prints what it printed only if it failed. */
async function npmRun(script) {
  // A process group of its own: it can be stopped whole, and Ctrl-C at the terminal is ours to pass on.
  const isWindows = process.platform === 'win32';
  const child = spawn('npm', ['run', '--silent', script], {
    cwd: ROOT,
    shell: isWindows,
    detached: !isWindows,
  });
  build = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  }
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  build = undefined;
  if (code !== 0 && !stopping) throw new DemoError(`npm run ${script} 失败 failed:\n\n${output.trim()}`);
}

// ------------------------------------------------------------------------------------------ the folder `.demo/`

function prepareHome() {
  fs.mkdirSync(HOME, { recursive: true });
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0 && fs.statSync(HOME).uid !== uid) {
    throw new DemoError(
      '.demo/ 属于另一个用户（可能曾以 root 运行过）。改回所有者，或删除它重新开始：\n' +
        '.demo/ belongs to another user, as it does after a start as root. Take it back, or delete it to begin anew:\n\n' +
        '  sudo chown -R "$(id -u):$(id -g)" .demo',
    );
  }
}

/** The keys that sessions and tokens are sealed with. Without them a restart would know nobody any more. */
function sealingKeys() {
  const file = path.join(HOME, 'wechat-auth-keys');
  if (!fs.existsSync(file)) {
    fs.writeFileSync(file, `demo:${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  }
  return fs.readFileSync(file, 'utf8').trim();
}

// -------------------------------------------------------------------------------------------------- the ports

function readPort(name, fallback) {
  const text = env[name]?.trim() || String(fallback);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new DemoError(
      `${name}=${text} 不是端口号，应为 1 到 65535。\n${name}=${text} is not a port: use 1 to 65535.`,
    );
  }
  return port;
}

function checkPort(name, port) {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', (error) => {
      reject(error.code === 'EADDRINUSE' ? portTaken(name, port) : portRefused(name, port, error));
    });
    probe.listen(port, '127.0.0.1', () => probe.close(resolve));
  });
}

function portTaken(name, port) {
  const elsewhere = `${name}=${port < 65_000 ? port + 100 : port - 100} npm start`;
  return new DemoError(
    `端口 ${port} 已被占用。若另一个 npm start 还在运行，先在那里按 Ctrl-C；否则换一个端口：\n` +
      `Port ${port} is in use. If another npm start is running, press Ctrl-C there; else choose another port:\n\n` +
      `  ${elsewhere}`,
  );
}

function portRefused(name, port, { code }) {
  return new DemoError(
    `端口 ${port} 无法使用（${code}）。请用 ${name} 换一个。\nPort ${port} cannot be used (${code}): set ${name} to another one.`,
  );
}

// ------------------------------------------------------------------------------------------------- the terminal

function tellWhatToOpen(emulator) {
  const [address] = env.WECHAT_PUBLIC_URL.split(',');
  const wechat = emulator
    ? `微信模拟器 WeChat emulator   ${emulator.url}   （切换用户 switch user）`
    : `微信 WeChat                 ${env.WECHAT_OPEN_BASE_URL ?? '公网 the real one'}`;
  console.log(`
  打开 Open                   ${address.trim()}
  ${wechat}

  Ctrl-C 停止；下次 npm start 仍记得谁已登录。
  Ctrl-C stops it; the next npm start still knows who is signed in.
`);
}

function tellError(error) {
  const isOurs =
    error instanceof DemoError || error.code?.startsWith?.('emulator_') || error.name?.startsWith('Wechat');
  console.error(`\n${isOurs ? error.message : (error.stack ?? error)}\n`);
}

// ----------------------------------------------------------------------------------------------------- the end

/** Stops what runs, the last first, and ends the process. */
async function stop(exitCode, error) {
  // Whatever refuses to stop ends with this process; PostgreSQL notices by itself that it is gone.
  setTimeout(() => process.exit(exitCode || 1), STOP_TIMEOUT_MS).unref();
  for (const stopPart of started.splice(0).reverse()) {
    await stopPart().catch((cause) => {
      exitCode ||= 1;
      tellError(cause);
    });
  }
  // Last, below whatever the parts had to say at their end.
  if (error) tellError(error);
  process.exit(exitCode);
}

const starting = start();
for (const signal of SIGNALS) {
  process.on(signal, () => {
    // npm passes the terminal's Ctrl-C on to us, so it comes twice.
    if (stopping) return;
    stopping = true;
    if (build?.pid) {
      try {
        process.kill(process.platform === 'win32' ? build.pid : -build.pid, 'SIGTERM');
      } catch {
        // It has just ended.
      }
    }
    // A step of the start that is on its way is let finish, so that what it starts is stopped too.
    void starting.catch(() => undefined).then(() => stop(0));
  });
}
starting.catch((error) => {
  if (stopping) return;
  stopping = true;
  void stop(1, error);
});

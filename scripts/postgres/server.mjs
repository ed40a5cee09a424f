// The running server.
import { spawn } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { inUse } from './cluster.mjs';
import { commonOptions, DATABASE_URL_CURE, tail } from './processes.mjs';

const START_TIMEOUT_MS = 120_000; // recovery after a power cut may take its time

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

export async function launch({ bin, folder, cluster, user, port, durable, temporary }) {
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

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

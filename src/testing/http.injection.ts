import { once } from 'node:events';
import { type IncomingMessage, request, type Server } from 'node:http';
import { duplexPair } from 'node:stream';

/**
 * Sends a request to a server of this process, whether it listens or not, on whatever platform.
 *
 * @see https://nodejs.org/api/http.html#event-connection for connections that are no sockets.
 */
export async function injectGet(
  server: Server,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; setCookies: readonly string[] }> {
  const [client, remote] = duplexPair();
  // Unlike a socket's, this connection's other end does not notice when the server cuts it.
  remote.on('close', () => {
    if (!remote.writableFinished) client.destroy();
  });
  // Middleware asks a connection where it comes from.
  server.emit('connection', Object.assign(remote, { remoteAddress: '127.0.0.1' }));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ path, headers, createConnection: () => client }, resolve)
      .on('error', reject)
      .end();
  });
  response.resume();
  await once(response, 'end');
  return { status: response.statusCode ?? 0, setCookies: response.headers['set-cookie'] ?? [] };
}

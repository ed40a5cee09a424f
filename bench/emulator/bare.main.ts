import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { serve } from '../server.process.js';

/** Answers every request with the body that was put last. */
void serve(async () => {
  let body = '';
  const server = createServer((request, response) => {
    if (request.method === 'PUT') {
      void text(request).then((put) => {
        body = put;
        response.end();
      });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
});

// Not a client of WeChat: it calls whatever address it is told to, by each of Node.js's own means.
import dgram from 'node:dgram';
import dns, { lookup } from 'node:dns';
import { resolve4 } from 'node:dns/promises';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { takeCommands } from './command.loop.mjs';

takeCommands({
  request: async (address) => {
    const { get } = address.startsWith('https:') ? https : http;
    const [response] = await once(get(address), 'response');
    response.resume();
    return response.statusCode;
  },
  fetch: async (address) => {
    try {
      return (await fetch(address)).status;
    } catch (error) {
      throw error.cause;
    }
  },
  connect: async (port, host) => {
    await once(net.connect(port, host), 'connect');
  },
  lookup: (name) => promisify(lookup)(name),
  lookupPromised: (name) => dns.promises.lookup(name),
  resolve4: (name) => resolve4(name),
  resolveAny: (name) => promisify(dns.resolveAny)(name),
  resolverTxt: (name) => {
    const resolver = new dns.Resolver();
    return promisify(resolver.resolveTxt.bind(resolver))(name);
  },
  resolverMx: (name) => new dns.promises.Resolver().resolveMx(name),
  send: async (port, host) => {
    const socket = dgram.createSocket('udp4');
    await promisify(socket.send.bind(socket))('x', port, host);
  },
  sendAnyway: async (port, host) => {
    const socket = dgram.createSocket('udp4');
    socket.send('x', port, host);
    const [error] = await once(socket, 'error');
    throw error;
  },
  connectUdp: async (port, host) => {
    const socket = dgram.createSocket('udp4');
    await promisify(socket.connect.bind(socket))(port, host);
  },
  requestOfWorker: async (address) => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { get } = require(workerData.startsWith('https:') ? 'node:https' : 'node:http');
      get(workerData, ({ statusCode }) => parentPort.postMessage(statusCode))
        .on('error', ({ code, message }) => parentPort.postMessage({ code, message }));
    `;
    const worker = new Worker(source, { eval: true, workerData: address });
    const [answer] = await once(worker, 'message');
    await worker.terminate();
    if (answer.code !== undefined) throw Object.assign(new Error(), answer);
    return answer;
  },
});

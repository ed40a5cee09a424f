// Not a client of WeChat: it calls whatever address it is told to, by each of Node.js's own means.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
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
});

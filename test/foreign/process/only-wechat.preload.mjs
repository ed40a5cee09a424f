// Loaded before a client that others wrote: what it sends to WeChat arrives at the emulator, over TLS and still under
// WeChat's names, and it reaches nothing else. All that Node.js sends over TCP goes through this one method.
import { Socket } from 'node:net';

const WECHAT_HOSTS = ['open.weixin.qq.com', 'api.weixin.qq.com'];
const EMULATOR = { host: '127.0.0.1', port: Number(process.env.EMULATOR_TLS_PORT) };

const connect = Socket.prototype.connect;

Socket.prototype.connect = function (...args) {
  // node:net hands on what it was given as a list in the first place; node:tls as options.
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  const { host, port, path } = typeof options === 'object' ? options : { port: args[0], host: args[1] };
  if (!WECHAT_HOSTS.includes(host) || Number(port) !== 443) {
    const target = path ?? `${host ?? 'localhost'}:${port}`;
    const error = new Error(
      `This process reaches ${WECHAT_HOSTS.join(' and ')} at port 443 only, not ${target}.`,
    );
    // Later, as a real failure comes: its owner has not finished with it.
    process.nextTick(() => this.destroy(Object.assign(error, { code: 'NOT_WECHAT' })));
    return this;
  }
  const whenConnected = args.flat().findLast((each) => typeof each === 'function');
  // The name to be found in the certificate is noted elsewhere already, and stays WeChat's.
  return connect.call(this, { ...options, ...EMULATOR }, whenConnected);
};

// Loaded before a client that others wrote: what it sends to WeChat arrives at the emulator, over TLS and still under
// WeChat's names, and it reaches nothing else. All that Node.js sends over TCP goes through one method, all over UDP
// through two, and names are looked up by the functions of node:dns. Worker threads and processes that are forked
// inherit it with --require; other programs that the client might start are not held back.
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isIP, Socket } from 'node:net';

const WECHAT_HOSTS = ['open.weixin.qq.com', 'api.weixin.qq.com'];
const EMULATOR = { host: '127.0.0.1', port: Number(process.env.EMULATOR_TLS_PORT) };

function refusal(target) {
  const error = new Error(
    `This process reaches ${WECHAT_HOSTS.join(' and ')} at port 443 only, not ${target}.`,
  );
  return Object.assign(error, { code: 'NOT_WECHAT' });
}

// ---------------------------------------------------------------------------------------------------------------- TCP

const connect = Socket.prototype.connect;

Socket.prototype.connect = function (...args) {
  // node:net hands on what it was given as a list in the first place; node:tls as options.
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  const { host, port, path } = typeof options === 'object' ? options : { port: args[0], host: args[1] };
  if (!WECHAT_HOSTS.includes(host) || Number(port) !== 443) {
    const error = refusal(path ?? `${host ?? 'localhost'}:${port}`);
    // Later, as a real failure comes: its owner has not finished with it.
    process.nextTick(() => this.destroy(error));
    return this;
  }
  const whenConnected = args.flat().findLast((each) => typeof each === 'function');
  // The name to be found in the certificate is noted elsewhere already, and stays WeChat's.
  return connect.call(this, { ...options, ...EMULATOR }, whenConnected);
};

// ---------------------------------------------------------------------------------------------------------------- UDP

for (const method of ['connect', 'send']) {
  dgram.Socket.prototype[method] = function (...args) {
    const error = refusal(`anything over UDP (${method})`);
    const whenDone = args.findLast((each) => typeof each === 'function');
    process.nextTick(() => (whenDone ? whenDone(error) : this.emit('error', error)));
  };
}

// -------------------------------------------------------------------------------------------------------------- names

/** The name that is looked up instead: an address stays itself, and WeChat is at the emulator's. */
function nameInstead(name) {
  return WECHAT_HOSTS.includes(name) ? EMULATOR.host : name;
}

function isAllowed(name) {
  return !name || name === 'localhost' || isIP(name) !== 0;
}

const { lookup } = dns;
dns.lookup = (name, ...args) =>
  isAllowed(nameInstead(name))
    ? lookup(nameInstead(name), ...args)
    : process.nextTick(args.at(-1), refusal(`the name ${name}`));
// With what util.promisify looks for.
Object.defineProperties(dns.lookup, Object.getOwnPropertyDescriptors(lookup));

const { lookup: lookupPromised } = dns.promises;
dns.promises.lookup = async (name, ...args) => {
  if (!isAllowed(nameInstead(name))) throw refusal(`the name ${name}`);
  return lookupPromised(nameInstead(name), ...args);
};

// A question to a name server, which is on no machine that may be reached.
for (const asker of [dns, dns.Resolver.prototype]) {
  for (const method of questionsOf(asker)) {
    asker[method] = (name, ...args) => process.nextTick(args.at(-1), refusal(`a name server about ${name}`));
  }
}
for (const asker of [dns.promises, dns.promises.Resolver.prototype]) {
  for (const method of questionsOf(asker)) {
    asker[method] = async (name) => {
      throw refusal(`a name server about ${name}`);
    };
  }
}

function questionsOf(asker) {
  return Object.getOwnPropertyNames(asker).filter((name) => /^(resolve|reverse|lookupService)/.test(name));
}

// For those who import a function by its name.
syncBuiltinESMExports();

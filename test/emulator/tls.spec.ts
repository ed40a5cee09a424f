import { once } from 'node:events';
import { Agent, get } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  createWechatEmulator,
  WechatEmulatorError,
  type WechatEmulatorTls,
} from '../../src/emulator/index.js';
import { type Certified, certify, createAuthority } from '../support/certificate.authority.js';
import {
  authorizeUrl,
  closeEmulators,
  defined,
  encode,
  firstApp,
  open,
  startEmulator,
  user,
} from './emulator.harness.js';

let authority: Certified;
let tls: Certified;

beforeAll(async () => {
  authority = await createAuthority();
  tls = await certify(authority);
});

afterEach(closeEmulators);

/** One request over TLS that checks the certificate. */
function openSecurely(url: string, agent?: Agent): Promise<{ location: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { ca: authority.cert, agent }, (response) => {
      text(response).then((body) => resolve({ location: response.headers.location, body }), reject);
    }).on('error', reject);
  });
}

const portOf = (url: string | undefined): number => Number(new URL(defined(url)).port);

describe('the emulator over TLS', () => {
  it('is the same WeChat on a second port', async () => {
    const wechat = await startEmulator({ tls });
    const tlsUrl = defined(wechat.tlsUrl);
    const { appId, appSecret } = firstApp(wechat);

    expect(tlsUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const { location } = await open(authorizeUrl(wechat));
    const code = defined(new URL(defined(location)).searchParams.get('code'));
    const query = { appid: appId, secret: appSecret, code, grant_type: 'authorization_code' };
    const { body } = await openSecurely(`${tlsUrl}/sns/oauth2/access_token?${encode(query)}`);
    expect(JSON.parse(body)).toMatchObject({ openid: user(wechat).openid, scope: 'snsapi_base' });
    expect(wechat.requests.map(({ endpoint }) => endpoint)).toEqual(['authorize', 'token']);
  });

  it('has the authorization page there as well', async () => {
    const wechat = await startEmulator({ tls });
    const address = authorizeUrl(wechat).replace(wechat.url, defined(wechat.tlsUrl));

    expect((await openSecurely(address)).location).toMatch(
      /^http:\/\/localhost:3000\/.*&code=\w{32}&state=abc123$/,
    );
  });

  it('goes wrong there as it is told to', async () => {
    const wechat = await startEmulator({ tls });
    await wechat.failNext('auth', { cut: true });

    await expect(openSecurely(`${wechat.tlsUrl}/sns/auth?access_token=x&openid=o`)).rejects.toThrow(
      'aborted',
    );
  });

  it('is not there unless it is given a certificate', async () => {
    expect((await startEmulator()).tlsUrl).toBeUndefined();
  });

  it('closes at once although connections are kept alive, and both ports are free again', async () => {
    const agent = new Agent({ keepAlive: true });
    const wechat = await startEmulator({ tls });
    await openSecurely(`${wechat.tlsUrl}/`, agent);
    await wechat.close();
    await expect(openSecurely(`${wechat.tlsUrl}/`)).rejects.toThrow('ECONNREFUSED');
    agent.destroy();

    const again = await startEmulator({
      port: portOf(wechat.url),
      tls: { ...tls, port: portOf(wechat.tlsUrl) },
    });
    expect([again.url, again.tlsUrl]).toEqual([wechat.url, wechat.tlsUrl]);
  });

  it('closes at once although somebody has connected and says nothing', async () => {
    const wechat = await startEmulator({ tls });
    const silent = connect(portOf(wechat.tlsUrl), '127.0.0.1');
    await once(silent, 'connect');
    const ended = once(silent, 'close');
    await wechat.close();

    await ended;
  });

  it('leaves no server behind when the port for TLS is taken', async () => {
    const other = await startEmulator();
    const free = await startEmulator();
    await free.close();
    const attempt = createWechatEmulator({
      port: portOf(free.url),
      tls: { ...tls, port: portOf(other.url) },
    });

    await expect(attempt).rejects.toMatchObject({
      code: 'emulator_port',
      message: expect.stringContaining(`cannot listen on port ${portOf(other.url)} of 127.0.0.1`) as string,
    });
    expect((await startEmulator({ port: portOf(free.url) })).url).toBe(free.url);
  });

  it.each<[string, (good: Certified, authorityKey: string) => WechatEmulatorTls, RegExp]>([
    [
      'no key',
      ({ cert }) => ({ key: '', cert }),
      /options\.tls has no key: give a private key and its certificate/,
    ],
    ['no certificate', ({ key }) => ({ key, cert: '' }), /options\.tls has no cert: give a private key/],
    [
      'a key that is none',
      ({ cert }) => ({ key: 'key.pem', cert }),
      /options\.tls is not usable \(.+\): give a/,
    ],
    [
      'a certificate that is none',
      ({ key }) => ({ key, cert: 'cert.pem' }),
      /options\.tls is not usable \(.+\): /,
    ],
    [
      'a key of another certificate',
      ({ cert }, key) => ({ key, cert }),
      /tls is not usable \(.*key values mismatch\)/,
    ],
  ])('refuses %s', async (_case, make, message) => {
    const attempt = createWechatEmulator({ tls: make(tls, authority.key) });

    await expect(attempt).rejects.toBeInstanceOf(WechatEmulatorError);
    await expect(attempt).rejects.toThrow(message);
  });
});

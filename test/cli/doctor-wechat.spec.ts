import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSocketServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { FOLDER_WITH_PACKAGES, spawnCommand } from './command.runner.js';
import { complaints, DoctorWorld } from './doctor.harness.js';

// A process of its own loads everything anew.
jest.setTimeout(60_000);

let world: DoctorWorld;
beforeAll(async () => {
  world = await DoctorWorld.create();
});
afterAll(() => world.close());

describe("doctor holds the public URL against WeChat's rules:", () => {
  // Nobody is called: WeChat itself stands in the settings, and --offline on the command line.
  const REAL = { WECHAT_OPEN_BASE_URL: undefined, WECHAT_API_BASE_URL: undefined };

  it('what to enter there, to the letter', async () => {
    const diagnosis = await world.diagnose(
      { ...REAL, WECHAT_PUBLIC_URL: 'https://www.shop-1.example.cn/mall' },
      ['--offline'],
    );
    const messages = diagnosis.findings
      .filter(({ check }) => check === 'public-url')
      .map(({ message }) => message);
    expect(messages[0]).toContain('https://www.shop-1.example.cn/mall/wechat/callback');
    expect(messages[1]).toContain('网页授权域名) enter exactly: www.shop-1.example.cn (');
    expect(messages[1]).toContain('does not cover shop-1.example.cn');
    expect(messages[1]).toContain('MP_verify_');
    expect(messages[1]).toContain('ICP');
    expect(diagnosis.exitCode).toBe(0);
  });

  it.each([
    ['http://localhost:3000', 'is this machine'],
    ['http://127.0.0.1', 'is this machine'],
    ['http://[::1]:3000', 'is this machine'],
    ['https://192.0.2.7', 'is an IP address'],
    ['https://[2001:db8::7]', 'is an IP address'],
    ['https://shop.example.cn:8443', 'has a port'],
    ['https://my_shop.example.cn', 'has a character'],
    ['https://shop', 'is not a whole domain name'],
    ['https://shop.internal', 'is not a public domain'],
    ['https://t.cn', 'short links'],
  ])('%s %s', async (publicUrl, words) => {
    const { findings, exitCode } = await world.diagnose({ ...REAL, WECHAT_PUBLIC_URL: publicUrl }, [
      '--offline',
    ]);
    const [finding, ...others] = findings.filter(({ check }) => check === 'public-url');
    expect(finding).toMatchObject({ status: 'error', message: expect.stringContaining(words) });
    expect(finding?.cure).toContain('WECHAT_PUBLIC_URL');
    expect({ others, exitCode }).toEqual({ others: [], exitCode: 1 });
  });

  it('more domains than an account can have', async () => {
    const WECHAT_PUBLIC_URL = 'https://a.example.cn,https://b.example.cn,https://c.example.cn';
    expect(complaints(await world.diagnose({ ...REAL, WECHAT_PUBLIC_URL }, ['--offline']))[0]).toMatch(
      /^public-url warning WECHAT_PUBLIC_URL has 3 entries/,
    );
  });

  it('none of them with an emulator', async () => {
    const { findings } = await world.diagnose({ WECHAT_PUBLIC_URL: 'http://127.0.0.1:3000' });
    expect(findings.find(({ check }) => check === 'public-url')).toMatchObject({ status: 'ok' });
  });
});

describe('doctor, about WeChat,', () => {
  const servers: Pick<Server, 'close' | 'closeAllConnections'>[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Something in the place of WeChat's API. */
  async function inItsPlace(listener: RequestListener): Promise<Record<string, string>> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { WECHAT_OPEN_BASE_URL: url, WECHAT_API_BASE_URL: url };
  }

  it.each([
    ['WECHAT_APP_ID', 'wx0000000000000000', 40013],
    ['WECHAT_APP_SECRET', '00000000000000000000000000000000', 40125],
  ])('proves by one call that %s is wrong', async (name, value, errcode) => {
    const diagnosis = await world.diagnose({ [name]: value });
    expect(diagnosis.exitCode).toBe(1);
    expect(complaints(diagnosis)).toEqual([
      expect.stringMatching(new RegExp(`^wechat error .*errcode ${errcode}, `)),
    ]);
    expect(diagnosis.findings.at(-1)?.cure).toContain(name);
  });

  it('says that it cannot be reached, and that a proxy in the environment is not used', async () => {
    const nobody = 'http://127.0.0.1:1';
    const changes = {
      WECHAT_OPEN_BASE_URL: nobody,
      WECHAT_API_BASE_URL: nobody,
      HTTPS_PROXY: 'http://shop:hunter2hunter2@127.0.0.1:2',
    };
    const diagnosis = await world.diagnose(changes);
    expect(diagnosis.exitCode).toBe(1);
    expect(complaints(diagnosis)).toEqual([
      expect.stringContaining('clock warning Not checked'),
      'wechat warning The pages for people, 127.0.0.1:1, cannot be reached from here: ECONNREFUSED.',
      'wechat error The API, 127.0.0.1:1, cannot be reached: ECONNREFUSED. Codes are exchanged and profiles read there.',
      'wechat warning HTTPS_PROXY is set, but the module calls WeChat directly, not through a proxy of this kind.',
      'wechat warning Not checked: app id and secret, since 127.0.0.1:1 cannot be reached.',
    ]);
  });

  it('does not wait for ever for what says nothing, neither there nor at the database', async () => {
    const silent = createSocketServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const place = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    try {
      const run = await spawnCommand(['doctor'], {
        env: {
          ...world.env,
          WECHAT_OPEN_BASE_URL: `http://${place}`,
          WECHAT_API_BASE_URL: `http://${place}`,
          DATABASE_URL: `postgres://shop:hunter2hunter2@${place}/shop`,
        },
        cwd: FOLDER_WITH_PACKAGES,
      });
      expect(run.exitCode).toBe(1);
      expect(run.stdout).toContain('no answer within 5000 ms');
      expect(run.stdout).toContain('No answer in time');
    } finally {
      silent.close();
    }
  });

  it('notices that something else answers in its place', async () => {
    const page = await inItsPlace((_request, response) =>
      response.end('<html>Sign in to the network</html>'),
    );
    expect(complaints(await world.diagnose(page))).toEqual([
      expect.stringMatching(/^wechat error .*not a JSON object/),
    ]);
    const tokens = JSON.stringify({
      access_token: 'a',
      expires_in: 7200,
      refresh_token: 'r',
      openid: 'o',
      scope: '',
    });
    const generous = await inItsPlace((_request, response) => response.end(tokens));
    expect(complaints(await world.diagnose(generous))).toEqual([
      expect.stringMatching(/tokens for a made-up code/),
    ]);
  });

  it('notices an emulator that is set by half', async () => {
    const half = await world.diagnose({ WECHAT_API_BASE_URL: undefined }, ['--offline']);
    const told = complaints(half).filter((complaint) => complaint.includes('api.weixin.qq.com'));
    expect(told).toEqual([
      'environment error openBaseUrl (WECHAT_OPEN_BASE_URL) leads to this machine, but apiBaseUrl (WECHAT_API_BASE_URL) to the real WeChat, api.weixin.qq.com.',
    ]);
  });

  it('asks whether a stranger’s pages go with the real API', async () => {
    const relayed = await world.diagnose(
      { WECHAT_OPEN_BASE_URL: 'https://relay.example.com', WECHAT_API_BASE_URL: undefined },
      ['--offline'],
    );
    expect(complaints(relayed)).toContain(
      'wechat warning People are sent to relay.example.com, but codes are exchanged at api.weixin.qq.com.',
    );
  });

  it.each<[string, number, string[]]>([
    ['agrees', 0, []],
    [
      'is a little behind',
      20_000,
      [expect.stringMatching(/^clock warning .* is (1[5-9]|2[0-5]) s behind WeChat/) as unknown as string],
    ],
    [
      'is an hour ahead',
      -3_600_000,
      [expect.stringMatching(/^clock error .* is 60 minutes ahead of WeChat/) as unknown as string],
    ],
  ])("tells when this machine's clock %s", async (_, aheadMs, expected) => {
    const place = await inItsPlace((_request, response) => {
      response.setHeader('date', new Date(Date.now() + aheadMs).toUTCString());
      response.end('{"errcode":40029,"errmsg":"invalid code"}');
    });
    expect(complaints(await world.diagnose(place))).toEqual(expected);
  });
});

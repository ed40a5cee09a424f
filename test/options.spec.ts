import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { WechatConfigurationError } from '../src/common/errors.js';
import type { ResolvedWechatAuthOptions } from '../src/common/options.js';
import { type WechatSession, WechatSessionStore } from '../src/common/session.js';
import { resolveOptions, type WechatAuthOptions } from '../src/wechat-auth.options.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const APP_ID = 'wx0123456789abcdef';
const OTHER_APP_ID = 'wxFEDCBA9876543210';
const APP_SECRET = 'app-secret-4f1d';
const SECRET = Buffer.alloc(32, 251); // its base64 has + and /
const KEY = `k1:${SECRET.toString('base64')}`;

const ENVIRONMENT: Readonly<Record<string, string>> = {
  WECHAT_APP_ID: APP_ID,
  WECHAT_APP_SECRET: APP_SECRET,
  WECHAT_PUBLIC_URL: 'https://shop.example.com',
  WECHAT_AUTH_KEYS: KEY,
};

type Environment = Record<string, string | undefined>;

function resolve(options: WechatAuthOptions = {}, environment: Environment = {}): ResolvedWechatAuthOptions {
  const all: Environment = { ...ENVIRONMENT, ...environment };
  return resolveOptions(options, (name) => all[name]);
}

function configurationError(
  options: WechatAuthOptions = {},
  environment: Environment = {},
): WechatConfigurationError {
  try {
    resolve(options, environment);
  } catch (error) {
    if (error instanceof WechatConfigurationError) return error;
    throw error;
  }
  throw new Error('These settings were accepted.');
}

function problemsOf(options: WechatAuthOptions = {}, environment: Environment = {}): readonly string[] {
  return configurationError(options, environment).problems;
}

class HostStore extends WechatSessionStore {
  read(): WechatSession | undefined {
    return undefined;
  }
  write(): void {}
  clear(): void {}
}

describe('with the four variables that have no default', () => {
  it('everything else has one', () => {
    expect(resolve()).toEqual({
      accounts: [{ appId: APP_ID, appSecret: APP_SECRET, refreshTokenLifetimeMs: 30 * DAY_MS }],
      publicUrls: [{ origin: 'https://shop.example.com', host: 'shop.example.com', basePath: '' }],
      keys: [{ kid: 'k1', secret: SECRET }],
      openBaseUrl: 'https://open.weixin.qq.com',
      apiBaseUrl: 'https://api.weixin.qq.com',
      path: '/wechat',
      prompt: 'explain',
      outsideWechat: 'open-in-wechat',
      sessionMaxAgeMs: 30 * DAY_MS,
      sessionStore: undefined,
      requestTimeoutMs: 5_000,
      allowedOrigins: [],
      consentText: undefined,
      onSignIn: undefined,
    });
  });

  it('a variable may have blanks around it, as files of settings often do', () => {
    const padded = Object.fromEntries(
      Object.entries(ENVIRONMENT).map(([name, value]) => [name, `  ${value}\n`]),
    );
    expect(resolve({}, padded)).toEqual(resolve());
  });

  it('the addresses of WeChat may be an emulator’s', () => {
    const { openBaseUrl, apiBaseUrl } = resolve(
      {},
      {
        WECHAT_OPEN_BASE_URL: 'http://127.0.0.1:4000',
        WECHAT_API_BASE_URL: 'http://127.0.0.1:4001/',
      },
    );
    expect({ openBaseUrl, apiBaseUrl }).toEqual({
      openBaseUrl: 'http://127.0.0.1:4000',
      apiBaseUrl: 'http://127.0.0.1:4001',
    });
  });
});

describe('an option', () => {
  const otherKey = `k9:${Buffer.alloc(32, 9).toString('base64')}`;

  it.each<[WechatAuthOptions, Partial<ResolvedWechatAuthOptions>]>([
    [
      { appId: OTHER_APP_ID },
      { accounts: [{ appId: OTHER_APP_ID, appSecret: APP_SECRET, refreshTokenLifetimeMs: 30 * DAY_MS }] },
    ],
    [
      { appSecret: 'another' },
      { accounts: [{ appId: APP_ID, appSecret: 'another', refreshTokenLifetimeMs: 30 * DAY_MS }] },
    ],
    [
      { publicUrl: 'https://other.example.com' },
      { publicUrls: [{ origin: 'https://other.example.com', host: 'other.example.com', basePath: '' }] },
    ],
    [{ keys: otherKey }, { keys: [{ kid: 'k9', secret: Buffer.alloc(32, 9) }] }],
    [{ openBaseUrl: 'https://open.example.com' }, { openBaseUrl: 'https://open.example.com' }],
    [{ apiBaseUrl: 'https://api.example.com' }, { apiBaseUrl: 'https://api.example.com' }],
  ])('wins over its variable: %o', (options, expected) => {
    const environment = {
      WECHAT_OPEN_BASE_URL: 'https://open.env.example.com',
      WECHAT_API_BASE_URL: 'https://api.env.example.com',
    };
    expect(resolve(options, environment)).toMatchObject(expected);
  });

  it('that is undefined leaves its variable in force', () => {
    const options = { appId: undefined, publicUrl: undefined, prompt: undefined } as WechatAuthOptions;
    expect(resolve(options)).toEqual(resolve());
  });

  it('is taken as it is where there is no variable', () => {
    const store = new HostStore();
    const onSignIn = (): void => {};
    const resolved = resolve({
      prompt: 'direct',
      session: { maxAgeMs: 1_000, store },
      refreshTokenLifetimeMs: 2_000,
      requestTimeoutMs: 3_000,
      allowedOrigins: ['https://admin.example.com', 'http://localhost:5173'],
      consentText: '用于显示你的头像',
      onSignIn,
    });
    expect(resolved).toMatchObject({
      prompt: 'direct',
      sessionMaxAgeMs: 1_000,
      requestTimeoutMs: 3_000,
      allowedOrigins: ['https://admin.example.com', 'http://localhost:5173'],
      consentText: '用于显示你的头像',
    });
    expect(resolved.sessionStore).toBe(store);
    expect(resolved.onSignIn).toBe(onSignIn);
    expect(resolved.accounts[0].refreshTokenLifetimeMs).toBe(2_000);
  });
});

describe('outside WeChat', () => {
  it.each<[string, WechatAuthOptions, Environment, string]>([
    ['a page says to open it in WeChat, with the real WeChat', {}, {}, 'open-in-wechat'],
    [
      'a browser is redirected, with an emulator named by the variable',
      {},
      { WECHAT_OPEN_BASE_URL: 'http://localhost:4000' },
      'redirect',
    ],
    [
      'a browser is redirected, with an emulator named by the option',
      { openBaseUrl: 'http://localhost:4000' },
      {},
      'redirect',
    ],
    [
      'a page says so, with only the API elsewhere',
      {},
      { WECHAT_API_BASE_URL: 'http://localhost:4000' },
      'open-in-wechat',
    ],
    [
      'a page says so, with the real WeChat named by the variable',
      {},
      { WECHAT_OPEN_BASE_URL: 'https://open.weixin.qq.com' },
      'open-in-wechat',
    ],
    [
      'a page says so, with the real WeChat named with a slash at its end',
      { openBaseUrl: 'https://open.weixin.qq.com/' },
      {},
      'open-in-wechat',
    ],
    ['a page says so, with an empty variable', {}, { WECHAT_OPEN_BASE_URL: ' ' }, 'open-in-wechat'],
    ['what the option says counts', { outsideWechat: 'redirect' }, {}, 'redirect'],
    [
      'what the option says counts, also with an emulator',
      { outsideWechat: 'open-in-wechat', openBaseUrl: 'http://localhost:4000' },
      {},
      'open-in-wechat',
    ],
  ])('%s', (_, options, environment, expected) => {
    expect(resolve(options, environment).outsideWechat).toBe(expected);
  });
});

describe('a public URL', () => {
  it.each([
    ['https://shop.example.com', 'https://shop.example.com', 'shop.example.com', ''],
    ['https://shop.example.com/', 'https://shop.example.com', 'shop.example.com', ''],
    ['https://shop.example.com/shop', 'https://shop.example.com', 'shop.example.com', '/shop'],
    ['https://shop.example.com/a/b/', 'https://shop.example.com', 'shop.example.com', '/a/b'],
    ['https://shop.example.com/a//', 'https://shop.example.com', 'shop.example.com', '/a'],
    ['https://shop.example.com/a/../b', 'https://shop.example.com', 'shop.example.com', '/b'],
    ['https://shop.example.com:8443', 'https://shop.example.com:8443', 'shop.example.com:8443', ''],
    ['https://shop.example.com:443', 'https://shop.example.com', 'shop.example.com', ''],
    ['HTTPS://SHOP.Example.com', 'https://shop.example.com', 'shop.example.com', ''],
    ['https://bücher.example', 'https://xn--bcher-kva.example', 'xn--bcher-kva.example', ''],
    ['http://localhost', 'http://localhost', 'localhost', ''],
    ['http://localhost:3000/app', 'http://localhost:3000', 'localhost:3000', '/app'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000', '127.0.0.1:3000', ''],
    ['http://127.8.9.10', 'http://127.8.9.10', '127.8.9.10', ''],
    ['http://[::1]:3000', 'http://[::1]:3000', '[::1]:3000', ''],
  ])('%s is understood', (text, origin, host, basePath) => {
    expect(resolve({ publicUrl: text }).publicUrls).toEqual([{ origin, host, basePath }]);
  });

  it('may be one of several, in the order given, with blanks and empty entries between', () => {
    const publicUrl = ' https://a.example.com , https://b.example.com/b ,, http://localhost:3000 , ';
    expect(resolve({}, { WECHAT_PUBLIC_URL: publicUrl }).publicUrls).toEqual([
      { origin: 'https://a.example.com', host: 'a.example.com', basePath: '' },
      { origin: 'https://b.example.com', host: 'b.example.com', basePath: '/b' },
      { origin: 'http://localhost:3000', host: 'localhost:3000', basePath: '' },
    ]);
  });

  it.each([
    'shop.example.com',
    '//shop.example.com',
    '/shop',
    'ftp://shop.example.com',
    'javascript:alert(1)',
    'https://',
    'https://shop.example.com?a=b',
    'https://shop.example.com#top',
    'https://user@shop.example.com',
    'https://user:secret@shop.example.com',
    'https://shop.example.com:99999',
  ])('is refused with what to write instead: %s', (publicUrl) => {
    const problems = problemsOf({ publicUrl });
    expect(problems).toEqual([
      'WECHAT_PUBLIC_URL has an entry that is not an http(s) address of scheme, host and path. Write it like https://shop.example.com/path.',
    ]);
  });

  it.each([
    'http://shop.example.com',
    'http://192.168.1.10:3000',
    'http://0.0.0.0',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://notlocalhost',
    'http://[::2]',
  ])('is refused where cookies would travel in the clear: %s', (publicUrl) => {
    expect(problemsOf({ publicUrl })).toEqual([
      `WECHAT_PUBLIC_URL has ${publicUrl}: plain http outside this machine. Use https; cookies would travel in the clear.`,
    ]);
  });

  it.each([
    ['the same twice', 'https://shop.example.com,https://shop.example.com'],
    ['with two paths', 'https://shop.example.com/a,https://shop.example.com/b'],
    ['with and without the standard port', 'https://shop.example.com,https://shop.example.com:443'],
    ['in two spellings', 'https://shop.example.com,https://SHOP.example.com'],
    ['by two schemes', 'http://localhost:3000,https://localhost:3000'],
  ])('is refused where a host is named twice: %s', (_, publicUrl) => {
    expect(problemsOf({ publicUrl })).toEqual([
      'WECHAT_PUBLIC_URL names one host twice. Keep one entry for each host.',
    ]);
  });

  it('may share its name with another that has another port', () => {
    const publicUrl = 'https://shop.example.com,https://shop.example.com:8443';
    expect(resolve({ publicUrl }).publicUrls.map(({ host }) => host)).toEqual([
      'shop.example.com',
      'shop.example.com:8443',
    ]);
  });
});

describe('the keys', () => {
  const base64 = SECRET.toString('base64');

  it('are several, in the order given: the first seals', () => {
    const second = Buffer.alloc(32, 2);
    const keys = ` new_2026-11:${second.toString('base64')} , ${KEY} ,`;
    expect(resolve({ keys }).keys).toEqual([
      { kid: 'new_2026-11', secret: second },
      { kid: 'k1', secret: SECRET },
    ]);
  });

  it.each([
    ['base64', base64],
    ['base64 without padding', base64.replace('=', '')],
    ['base64url', SECRET.toString('base64url')],
    ['base64url with padding', `${SECRET.toString('base64url')}=`],
  ])('may be written in %s', (_, text) => {
    expect(text).toMatch(/[-+]/);
    expect(resolve({ keys: `k1:${text}` }).keys).toEqual([{ kid: 'k1', secret: SECRET }]);
  });

  it.each([
    ['without a kid', base64],
    ['with an empty kid', `:${base64}`],
    ['with a kid of signs', `k 1:${base64}`],
    ['with a kid of 33 characters', `${'k'.repeat(33)}:${base64}`],
    ['without a secret', 'k1:'],
    ['of 16 bytes', `k1:${Buffer.alloc(16, 1).toString('base64')}`],
    ['of 31 bytes', `k1:${Buffer.alloc(31, 1).toString('base64')}`],
    ['of 33 bytes', `k1:${Buffer.alloc(33, 1).toString('base64')}`],
    ['in hexadecimal', `k1:${SECRET.toString('hex')}`],
    ['with signs in it', `k1:${base64.slice(0, 20)}!${base64.slice(20)}`],
    ['with a second colon', `k1:k2:${base64}`],
  ])('are refused, with the command that makes one: one %s', (_, keys) => {
    expect(problemsOf({ keys })).toEqual([
      expect.stringMatching(
        /^WECHAT_AUTH_KEYS: entry 1 is not kid:base64 of exactly 32 bytes\. Make one with: node -e/,
      ),
    ]);
  });

  it('say which entry is wrong', () => {
    const problems = problemsOf({ keys: `${KEY},k2:short,k3:${base64},k4` });
    expect(problems.map((problem) => problem.slice(0, 33))).toEqual([
      'WECHAT_AUTH_KEYS: entry 2 is not ',
      'WECHAT_AUTH_KEYS: entry 4 is not ',
    ]);
  });

  it('are refused where two have one kid', () => {
    const keys = `${KEY},k1:${Buffer.alloc(32, 2).toString('base64')}`;
    expect(problemsOf({ keys })).toEqual([
      'WECHAT_AUTH_KEYS has one kid twice. Give every key a name of its own.',
    ]);
  });
});

describe('accounts', () => {
  const first = { appId: APP_ID, appSecret: 'one' };
  const second = { appId: OTHER_APP_ID, appSecret: 'two' };

  it('replace the one of the environment, the first being the default', () => {
    expect(resolve({ accounts: [second, first] }).accounts).toEqual([
      { ...second, refreshTokenLifetimeMs: 30 * DAY_MS },
      { ...first, refreshTokenLifetimeMs: 30 * DAY_MS },
    ]);
  });

  it('may each have a life of refresh tokens of their own', () => {
    const options = {
      accounts: [{ ...first, refreshTokenLifetimeMs: 1_000 }, second],
      refreshTokenLifetimeMs: 2_000,
    };
    expect(resolve(options).accounts.map((account) => account.refreshTokenLifetimeMs)).toEqual([
      1_000, 2_000,
    ]);
  });

  it.each<[string, WechatAuthOptions['accounts'], string]>([
    ['an empty list', [], 'accounts is empty. List at least one { appId, appSecret }.'],
    [
      'an app id twice',
      [first, { ...second, appId: APP_ID }],
      'accounts lists one appId twice. Keep one entry for each account.',
    ],
    [
      'a missing app id',
      [first, { ...second, appId: '' }],
      'accounts[1].appId is missing. Set it to the AppID of the service account (服务号) in 微信公众平台.',
    ],
    [
      'a damaged app id',
      [{ ...first, appId: 'wx123' }],
      'accounts[0].appId is not the form of a WeChat app id. It is "wx" and 16 letters or digits; copy it whole.',
    ],
    [
      'a missing secret',
      [first, { ...second, appSecret: '' }],
      'accounts[1].appSecret is missing. Set it to the AppSecret shown beside the app id in 微信公众平台.',
    ],
    [
      'a life of refresh tokens that is none',
      [{ ...first, refreshTokenLifetimeMs: 0 }],
      'accounts[0].refreshTokenLifetimeMs is not a number of milliseconds between 0 and 34560000000. Leave it out for the default.',
    ],
  ])('are refused with %s', (_, accounts, problem) => {
    expect(problemsOf({ accounts: accounts ?? [] })).toEqual([problem]);
  });

  // What `process.env.SHOP_SECRET!` gives where the variable is not set.
  it.each(['appId', 'appSecret'] as const)('are refused where %s turns out to be undefined', (name) => {
    const account = { ...first, [name]: undefined };
    expect(problemsOf({ accounts: [account] })).toEqual([
      expect.stringMatching(new RegExp(`^accounts\\[0\\]\\.${name} is missing\\. Set it to the App`)),
    ]);
  });
});

describe('the path of the module', () => {
  it.each([
    ['/wechat', '/wechat'],
    ['wechat', '/wechat'],
    ['/auth/weixin/', '/auth/weixin'],
    ['//a', '/a'],
    ['/we.chat_v-1~', '/we.chat_v-1~'],
  ])('may be written %s', (path, expected) => {
    expect(resolve({ path }).path).toBe(expected);
  });

  it.each([
    '',
    '/',
    '/a b',
    '/:id',
    '/*',
    '/a//b',
    '/微信',
    '/a?b',
    '/a#b',
    '/(a)',
    '/..',
    '/a/../b',
    '/./a',
  ])('may not be %j', (path) => {
    expect(problemsOf({ path })).toEqual([
      expect.stringMatching(/^path is not a plain path\. Write it like \/wechat/),
    ]);
  });
});

describe('wrong settings', () => {
  it.each<[string, WechatAuthOptions, Environment, string]>([
    [
      'no app id',
      {},
      { WECHAT_APP_ID: undefined },
      'WECHAT_APP_ID is missing. Set it to the AppID of the service account (服务号) in 微信公众平台.',
    ],
    [
      'a blank app id',
      {},
      { WECHAT_APP_ID: '  ' },
      'WECHAT_APP_ID is missing. Set it to the AppID of the service account (服务号) in 微信公众平台.',
    ],
    [
      'no secret',
      {},
      { WECHAT_APP_SECRET: undefined },
      'WECHAT_APP_SECRET is missing. Set it to the AppSecret shown beside the app id in 微信公众平台.',
    ],
    [
      'no public URL',
      {},
      { WECHAT_PUBLIC_URL: undefined },
      'WECHAT_PUBLIC_URL is missing. Set it to where people reach the application, for example https://shop.example.com.',
    ],
    [
      'only commas for a public URL',
      {},
      { WECHAT_PUBLIC_URL: ', ,' },
      'WECHAT_PUBLIC_URL is missing. Set it to where people reach the application, for example https://shop.example.com.',
    ],
    [
      'no keys',
      {},
      { WECHAT_AUTH_KEYS: undefined },
      "WECHAT_AUTH_KEYS is missing. Make one with: node -e \"console.log('k1:' + crypto.randomBytes(32).toString('base64'))\"",
    ],
    [
      'an address of WeChat’s pages that is none',
      {},
      { WECHAT_OPEN_BASE_URL: 'open.weixin.qq.com' },
      'WECHAT_OPEN_BASE_URL is not an http(s) address of scheme, host and path. Leave it out for the real WeChat.',
    ],
    [
      'an address of WeChat’s API with a query',
      {},
      { WECHAT_API_BASE_URL: 'https://api.weixin.qq.com?a' },
      'WECHAT_API_BASE_URL is not an http(s) address of scheme, host and path. Leave it out for the real WeChat.',
    ],
    [
      'WeChat’s API by plain http',
      {},
      { WECHAT_API_BASE_URL: 'http://api.weixin.qq.com' },
      'WECHAT_API_BASE_URL is plain http outside this machine. Use https; the app secret travels there.',
    ],
    [
      'an unknown prompt',
      { prompt: 'never' as 'direct' },
      {},
      'prompt is unknown. Choose one of: explain, direct.',
    ],
    [
      'an unknown outsideWechat',
      { outsideWechat: 'website' as 'redirect' },
      {},
      'outsideWechat is unknown. Choose one of: open-in-wechat, redirect.',
    ],
    [
      'a session of no time',
      { session: { maxAgeMs: 0 } },
      {},
      'session.maxAgeMs is not a number of milliseconds between 0 and 34560000000. Leave it out for the default.',
    ],
    [
      'a time limit that is no number',
      { requestTimeoutMs: NaN },
      {},
      'requestTimeoutMs is not a number of milliseconds between 0 and 60000. Leave it out for the default.',
    ],
    [
      'a time limit in words',
      { requestTimeoutMs: '5s' as unknown as number },
      {},
      'requestTimeoutMs is not a number of milliseconds between 0 and 60000. Leave it out for the default.',
    ],
    [
      'no time limit',
      { requestTimeoutMs: Infinity },
      {},
      'requestTimeoutMs is not a number of milliseconds between 0 and 60000. Leave it out for the default.',
    ],
    [
      'a life of refresh tokens before they are made',
      { refreshTokenLifetimeMs: -1 },
      {},
      'refreshTokenLifetimeMs is not a number of milliseconds between 0 and 34560000000. Leave it out for the default.',
    ],
    ...['https://admin.example.com/', 'https://admin.example.com/app', 'admin.example.com', '*', 'null'].map(
      (origin): [string, WechatAuthOptions, Environment, string] => [
        `the allowed origin ${origin}`,
        { allowedOrigins: ['https://ok.example.com', origin] },
        {},
        'allowedOrigins has an entry that is not an origin. Write scheme, host and port alone, like https://admin.example.com.',
      ],
    ),
  ])('are named with their cure, once: %s', (_, options, environment, problem) => {
    expect(problemsOf(options, environment)).toEqual([problem]);
  });

  it('are all found at once', () => {
    const error = configurationError(
      {
        openBaseUrl: 'nowhere',
        apiBaseUrl: 'nowhere',
        path: '/a b',
        prompt: 'never' as 'direct',
        outsideWechat: 'never' as 'redirect',
        session: { maxAgeMs: -1 },
        requestTimeoutMs: -1,
        allowedOrigins: ['nowhere'],
      },
      {
        WECHAT_APP_ID: undefined,
        WECHAT_APP_SECRET: undefined,
        WECHAT_PUBLIC_URL: undefined,
        WECHAT_AUTH_KEYS: undefined,
      },
    );
    const names = error.problems.map((problem) => /^[\w.]+/.exec(problem)?.[0]);
    expect(names.sort()).toEqual([
      'WECHAT_API_BASE_URL',
      'WECHAT_APP_ID',
      'WECHAT_APP_SECRET',
      'WECHAT_AUTH_KEYS',
      'WECHAT_OPEN_BASE_URL',
      'WECHAT_PUBLIC_URL',
      'allowedOrigins',
      'outsideWechat',
      'path',
      'prompt',
      'requestTimeoutMs',
      'session.maxAgeMs',
    ]);
    expect(error.code).toBe('invalid_configuration');
    for (const problem of error.problems) expect(error.message).toContain(`\n  - ${problem}`);
  });

  it('are told without any secret', () => {
    const secret = 'TOPSECRET4f1d';
    const long = Buffer.alloc(33, 5).toString('base64');
    const hexadecimal = Buffer.alloc(32, 6).toString('hex');
    const error = configurationError({
      accounts: [
        { appId: secret, appSecret: APP_SECRET },
        { appId: secret, appSecret: APP_SECRET },
      ],
      keys: `k1:${secret},${secret},${KEY},k1:${long},k3:${hexadecimal}`,
      publicUrl: `https://user:${secret}@shop.example.com,http://user:${secret}@other.example.com`,
      apiBaseUrl: `http://${secret}@api.example.com?secret=${secret}`,
    });
    expect(error.problems.length).toBeGreaterThanOrEqual(8);
    const text = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error);
    const hidden = [secret, APP_SECRET, SECRET.toString('base64'), long, hexadecimal];
    expect(hidden.filter((value) => text.includes(value))).toEqual([]);
  });
});

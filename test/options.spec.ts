import { describe, expect, it } from '@jest/globals';
import type { ResolvedWechatAuthOptions } from '../src/common/options.js';
import type { WechatAuthOptions } from '../src/wechat-auth.options.js';
import {
  APP_ID,
  APP_ID_CURE,
  APP_SECRET,
  APP_SECRET_CURE,
  DAY_MS,
  type Environment,
  ENVIRONMENT,
  HostStore,
  KEY,
  MAKE_A_KEY,
  MILLISECONDS,
  problemsOf,
  resolve,
  SECRET,
} from './configuration/options.resolution.js';

const OTHER_APP_ID = 'wxFEDCBA9876543210';

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
      sessionReverifyAfterMs: DAY_MS,
      sessionStore: undefined,
      refresh: {
        isScheduled: true,
        intervalMs: 60_000,
        batchSize: 500,
        concurrency: 32,
        quotaShare: 0.8,
        activeWithinDays: undefined,
      },
      times: { leadTimeMs: 10 * 60_000, reconsentWindowMs: 3 * DAY_MS },
      retainInactiveDays: 180,
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
      session: { maxAgeMs: 1_000, reverifyAfterMs: 60_000, store },
      refreshTokenLifetimeMs: 2_000,
      retainInactiveDays: 90,
      requestTimeoutMs: 3_000,
      allowedOrigins: ['https://admin.example.com', 'http://localhost:5173'],
      consentText: '用于显示你的头像',
      onSignIn,
    });
    expect(resolved).toMatchObject({
      prompt: 'direct',
      sessionMaxAgeMs: 1_000,
      sessionReverifyAfterMs: 60_000,
      retainInactiveDays: 90,
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
      { WECHAT_OPEN_BASE_URL: 'http://localhost:4000', WECHAT_API_BASE_URL: 'http://localhost:4000' },
      'redirect',
    ],
    [
      'a browser is redirected, with an emulator named by the option',
      { openBaseUrl: 'http://localhost:4000', apiBaseUrl: 'http://localhost:4000' },
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
      {
        outsideWechat: 'open-in-wechat',
        openBaseUrl: 'http://localhost:4000',
        apiBaseUrl: 'http://localhost:4000',
      },
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

  // Node.js 20 answers wrongly about Latin-1 letters once it has optimized the caller of `URL.canParse`.
  it('with a letter like ü is understood however often settings have been read', () => {
    const publicUrl = 'https://bücher.example';
    const hosts = Array.from({ length: 10_000 }, () => resolve({ publicUrl }).publicUrls[0].host);
    expect(new Set(hosts)).toEqual(new Set(['xn--bcher-kva.example']));
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
    ['shop.example.com', 'has no https:// before it'],
    ['shop.example.com:3000', 'has no https:// before it'],
    ['https:shop.example.com', 'has no https:// before it'],
    ['//shop.example.com', 'has no https:// before it'],
    ['/shop', 'has no https:// before it'],
    ['javascript:alert(1)', 'has no https:// before it'],
    ['ftp://shop.example.com', 'is neither http nor https'],
    ['https://', 'is no valid address'],
    ['https://shop.example.com:99999', 'is no valid address'],
    ['https://shop.example.com?a=b', 'has a query or a fragment'],
    ['https://shop.example.com#top', 'has a query or a fragment'],
    ['https://user@shop.example.com', 'has a user name or password in it'],
    ['https://user:secret@shop.example.com', 'has a user name or password in it'],
    ['https://*.example.com', 'has a * for a host'],
    ['"https://shop.example.com"', 'has quotes around it'],
  ])('is refused with what to write instead: %s', (publicUrl, flaw) => {
    expect(problemsOf({ publicUrl })).toEqual([
      `publicUrl (WECHAT_PUBLIC_URL) ${flaw}. Write it like https://shop.example.com/path.`,
    ]);
  });

  it.each(['，', '、', '；', ';'])('is refused where several are separated by %s', (separator) => {
    const publicUrl = `https://a.example.com${separator}https://b.example.com`;
    expect(problemsOf({ publicUrl })).toEqual([
      `publicUrl (WECHAT_PUBLIC_URL) has "${separator}" in it. Separate several by a plain comma: https://a.example.com,https://b.example.com.`,
    ]);
  });

  it.each(['https://shop.example.com//shop', 'https://shop.example.com/a//b/'])(
    'is refused with two slashes in its path: %s',
    (publicUrl) => {
      expect(problemsOf({ publicUrl })).toEqual([
        'publicUrl (WECHAT_PUBLIC_URL) has two slashes in a row in its path. Write it like https://shop.example.com/path.',
      ]);
    },
  );

  it.each([
    ['https://shop.example.com/wechat/callback', '/wechat/callback'],
    ['https://shop.example.com/shop/wechat/sign-in/', '/wechat/sign-in'],
    ['https://shop.example.com/wechat/consent', '/wechat/consent'],
    ['https://shop.example.com/wechat/sign-out', '/wechat/sign-out'],
  ])('is refused where it leads to a route of the module: %s', (publicUrl, route) => {
    expect(problemsOf({ publicUrl })).toEqual([
      `publicUrl (WECHAT_PUBLIC_URL) ends in ${route}, a route of this module. Leave that part out.`,
    ]);
  });

  it('may end in a word that is a route of the module elsewhere', () => {
    const publicUrl = 'https://shop.example.com/callback';
    expect(resolve({ publicUrl }).publicUrls[0].basePath).toBe('/callback');
  });

  it('is refused by its place in the list where there are several', () => {
    const publicUrl = 'https://a.example.com,b.example.com,https://c.example.com?d';
    expect(problemsOf({ publicUrl })).toEqual([
      'publicUrl (WECHAT_PUBLIC_URL): entry 2 has no https:// before it. Write it like https://shop.example.com/path.',
      'publicUrl (WECHAT_PUBLIC_URL): entry 3 has a query or a fragment. Write it like https://shop.example.com/path.',
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
      `publicUrl (WECHAT_PUBLIC_URL) has ${publicUrl}: plain http outside this machine. Use https; cookies would travel in the clear.`,
    ]);
  });

  it.each([
    ['the same twice', 'https://shop.example.com,https://shop.example.com', 'shop.example.com'],
    ['with two paths', 'https://shop.example.com/a,https://shop.example.com/b', 'shop.example.com'],
    ['the standard port', 'https://shop.example.com,https://shop.example.com:443', 'shop.example.com'],
    ['in two spellings', 'https://shop.example.com,https://SHOP.example.com', 'shop.example.com'],
    ['by two schemes', 'http://localhost:3000,https://localhost:3000', 'localhost:3000'],
  ])('is refused where a host is named twice: %s', (_, publicUrl, host) => {
    expect(problemsOf({ publicUrl })).toEqual([
      `publicUrl (WECHAT_PUBLIC_URL) names the host ${host} twice. Keep one entry for each host, since the host is what chooses among them.`,
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
    ['without a kid', base64, 'has no kid: it is not of the form kid:base64'],
    ['with an empty kid', `:${base64}`, 'has a kid that is not 1 to 32 letters, digits, "_" or "-"'],
    ['with a kid of signs', `k 1:${base64}`, 'has a kid that is not 1 to 32 letters, digits, "_" or "-"'],
    [
      'with a long kid',
      `${'k'.repeat(33)}:${base64}`,
      'has a kid that is not 1 to 32 letters, digits, "_" or "-"',
    ],
    ['without a secret', 'k1:', 'has nothing after its kid'],
    ['of 16 bytes', `k1:${Buffer.alloc(16, 1).toString('base64')}`, 'is base64 of 16 bytes, not 32'],
    ['of 24 bytes', `k1:${Buffer.alloc(24, 1).toString('base64')}`, 'is base64 of 24 bytes, not 32'],
    ['of 31 bytes', `k1:${Buffer.alloc(31, 1).toString('base64')}`, 'is base64 of 31 bytes, not 32'],
    ['of 33 bytes', `k1:${Buffer.alloc(33, 1).toString('base64')}`, 'is base64 of 33 bytes, not 32'],
    ['in hexadecimal', `k1:${SECRET.toString('hex')}`, 'is hexadecimal, not base64'],
    ['with signs in it', `k1:${base64.slice(0, 20)}!${base64.slice(20)}`, 'is not base64'],
    ['with a second colon', `k1:k2:${base64}`, 'is not base64'],
    ['in quotes', `'k1:${base64}'`, 'has a quote in it: take quotes away'],
    ['with its secret in quotes', `k1:"${base64}"`, 'has a quote in it: take quotes away'],
  ])('are refused, with the command that makes one: one %s', (_, keys, flaw) => {
    expect(problemsOf({ keys })).toEqual([`keys (WECHAT_AUTH_KEYS): entry 1 ${flaw}. ${MAKE_A_KEY}`]);
  });

  it.each(['，', '、', '；', ';'])('are refused where %s separates them', (separator) => {
    const keys = `${KEY}${separator}k2:${Buffer.alloc(32, 2).toString('base64')}`;
    expect(problemsOf({ keys })).toEqual([
      `keys (WECHAT_AUTH_KEYS): entry 1 has "${separator}" in it: separate keys by a plain comma. ${MAKE_A_KEY}`,
    ]);
  });

  it('say which entry is wrong', () => {
    const problems = problemsOf({ keys: `${KEY},k2:short,k3:${Buffer.alloc(32, 3).toString('base64')},k4` });
    expect(problems).toEqual([
      `keys (WECHAT_AUTH_KEYS): entry 2 is base64 of 3 bytes, not 32. ${MAKE_A_KEY}`,
      `keys (WECHAT_AUTH_KEYS): entry 4 has no kid: it is not of the form kid:base64. ${MAKE_A_KEY}`,
    ]);
  });

  it('are refused where two have one kid', () => {
    const keys = `${KEY},k1:${Buffer.alloc(32, 2).toString('base64')}`;
    expect(problemsOf({ keys })).toEqual([
      'keys (WECHAT_AUTH_KEYS) has two entries with the kid k1. Give every key a kid of its own.',
    ]);
  });

  it('are refused where one has two kids, which would be a change of keys in name only', () => {
    const keys = `k2:${SECRET.toString('base64url')},${KEY}`;
    expect(problemsOf({ keys })).toEqual([
      `keys (WECHAT_AUTH_KEYS): k2 and k1 are one and the same key. A new key is one of new bytes. ${MAKE_A_KEY}`,
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

  it('may come from a list that holds more than is asked for', () => {
    const fromConfiguration = [{ ...first, name: 'shop', redirectDomains: ['shop.example.com'] }];
    expect(resolve({ accounts: fromConfiguration }).accounts).toEqual([
      { ...first, refreshTokenLifetimeMs: 30 * DAY_MS },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['an empty list', [], 'accounts is empty. List at least one { appId, appSecret }.'],
    [
      'one account that is no list',
      first,
      'accounts is not a list: the option holds an object. Write it like [{ appId, appSecret }].',
    ],
    [
      'an app id alone',
      [APP_ID],
      'accounts[0] is not an object: the option holds a text of 18 characters. Write it like [{ appId, appSecret }].',
    ],
    [
      'a gap in the list',
      [first, undefined, second],
      'accounts[1] is not an object: the option holds undefined. Write it like [{ appId, appSecret }].',
    ],
    [
      'an app id twice',
      [first, { ...second, appId: APP_ID }],
      `accounts lists the appId ${APP_ID} twice. Keep one entry for each account.`,
    ],
    [
      'a missing app id',
      [first, { ...second, appId: '' }],
      `accounts[1].appId is missing: the option holds an empty text. ${APP_ID_CURE}`,
    ],
    [
      'a damaged app id',
      [{ ...first, appId: 'wx123' }],
      `accounts[0].appId is not the form of a WeChat app id: the option holds a text of 5 characters. ${APP_ID_CURE}`,
    ],
    [
      'a missing secret',
      [first, { ...second, appSecret: '' }],
      `accounts[1].appSecret is missing: the option holds an empty text. ${APP_SECRET_CURE}`,
    ],
    [
      'a life of refresh tokens that is none',
      [{ ...first, refreshTokenLifetimeMs: 0 }],
      `accounts[0].refreshTokenLifetimeMs is not ${MILLISECONDS}: the option holds zero. Leave it out for the default.`,
    ],
    [
      'a mistyped name',
      [{ ...first, refreshTokenLifetime: 1_000 }],
      'accounts[0].refreshTokenLifetime is not a setting of an account. Did you mean accounts[0].refreshTokenLifetimeMs?',
    ],
  ])('are refused with %s', (_, accounts, problem) => {
    expect(problemsOf({ accounts } as WechatAuthOptions)).toEqual([problem]);
  });

  // What `process.env.SHOP_SECRET!` gives where the variable is not set.
  it.each([
    ['appId', APP_ID_CURE],
    ['appSecret', APP_SECRET_CURE],
  ])('are refused where %s turns out to be undefined', (name, cure) => {
    const account = { ...first, [name]: undefined };
    expect(problemsOf({ accounts: [account] })).toEqual([`accounts[0].${name} is missing. ${cure}`]);
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
    '/',
    '/a b',
    'https://shop.example.com/wechat',
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

  it('may not be empty', () => {
    expect(problemsOf({ path: '' })).toEqual([
      expect.stringMatching(/^path is missing: the option holds an empty text\. Write it like \/wechat/),
    ]);
  });

  it('the address of WeChat’s API alone may be a proxy’s, on this machine as well', () => {
    const { openBaseUrl, apiBaseUrl } = resolve({}, { WECHAT_API_BASE_URL: 'http://127.0.0.1:8080' });
    expect({ openBaseUrl, apiBaseUrl }).toEqual({
      openBaseUrl: 'https://open.weixin.qq.com',
      apiBaseUrl: 'http://127.0.0.1:8080',
    });
  });

  it('a list of accounts may stand beside the variables of one account', () => {
    const accounts = [{ appId: 'wxffffffffffffffff', appSecret: APP_SECRET }];
    expect(resolve({ accounts }).accounts).toMatchObject(accounts);
  });
});

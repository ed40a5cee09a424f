import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { WechatConfigurationError } from '../../src/common/errors.js';
import type { WechatAuthOptions } from '../../src/wechat-auth.options.js';
import {
  APP_ID,
  APP_ID_CURE,
  APP_SECRET,
  APP_SECRET_CURE,
  configurationError,
  DAY_MS,
  type Environment,
  ENVIRONMENT,
  HostStore,
  KEY,
  MAKE_A_KEY,
  MILLISECONDS,
  problemsOf,
  PUBLIC_URL_CURE,
  resolve,
  SECRET,
} from './options.resolution.js';

const ENV_FILE = 'A .env file counts only where ConfigModule.forRoot() or node --env-file reads it.';

describe('what was taken for an app id', () => {
  it.each([
    ['the secret', '0f1e2d3c4b5a69788796a5b4c3d2e1f0', 'it looks like an AppSecret (32 hex characters)'],
    ['the original id', 'gh_0123456789ab', 'it looks like an original id (原始ID)'],
    ['an id of WeCom', 'ww0123456789abcdef', 'it looks like a corp id of WeCom (企业微信)'],
    ['an id in quotes', `"${APP_ID}"`, 'the variable holds a text in quotes'],
    ['half an id', APP_ID.slice(0, 9), 'the variable holds a text of 9 characters'],
    ['the word undefined', 'undefined', 'the variable holds the word undefined'],
    ['a number', 1234, 'the variable holds a number'],
  ])('is said, and nothing of it shown: %s', (_, value, kind) => {
    const [problem, ...others] = problemsOf({}, { WECHAT_APP_ID: value });
    expect(others).toEqual([]);
    expect(problem).toContain(`: ${kind}. Set it to the AppID of the service account`);
    expect(problem).not.toContain(String(value).slice(0, 8).replace('undefine', '-'));
  });
});

describe('what was taken for a secret', () => {
  it.each([
    ['the app id', APP_ID, 'it looks like an app id'],
    ['a secret in quotes', `'${APP_SECRET}'`, 'it has quotes around it'],
    ['a secret of two lines', `${APP_SECRET}\nWECHAT_PUBLIC_URL=`, 'it has a blank or a line break in it'],
    ['half a secret', '0f1e2d3c4b5a69788796a5b4c3d2e1f', 'it is hexadecimal of 31 characters, not 32'],
    ['the word undefined', 'undefined', 'it is the word undefined'],
  ])('is said, and nothing of it shown: %s', (_, value, kind) => {
    expect(problemsOf({}, { WECHAT_APP_SECRET: value })).toEqual([
      `appSecret (WECHAT_APP_SECRET) is no AppSecret: ${kind}. ${APP_SECRET_CURE}`,
    ]);
  });

  it('may be of any other form, since an emulator gives what it likes', () => {
    expect(resolve({ appSecret: 'x' }).accounts[0].appSecret).toBe('x');
  });

  it('may end in a line break, as what is read from a file does', () => {
    expect(resolve({ appSecret: `${APP_SECRET}\n` }).accounts[0].appSecret).toBe(APP_SECRET);
  });
});

describe('a name that is no option', () => {
  it.each<[object, string, string]>([
    [{ publicURL: 'x' }, 'publicURL', 'Did you mean publicUrl?'],
    [{ public_url: 'x' }, 'public_url', 'Did you mean publicUrl?'],
    [{ appid: 'x' }, 'appid', 'Did you mean appId?'],
    [{ AppSecret: 'x' }, 'AppSecret', 'Did you mean appSecret?'],
    [{ onSignin: () => {} }, 'onSignin', 'Did you mean onSignIn?'],
    [{ allowedOrigin: [] }, 'allowedOrigin', 'Did you mean allowedOrigins?'],
    [{ requestTimeout: 1 }, 'requestTimeout', 'Did you mean requestTimeoutMs?'],
    [{ datasource: 'x' }, 'datasource', 'Did you mean dataSource?'],
    [{ session: { maxAge: 1 } }, 'session.maxAge', 'Did you mean session.maxAgeMs?'],
    [
      { session: { cookieName: 'x' } },
      'session.cookieName',
      'Take it away. The options of session are: maxAgeMs, reverifyAfterMs, store.',
    ],
    [
      { scope: 'base' },
      'scope',
      'Take it away. The options are: appId, appSecret, accounts, publicUrl, keys, openBaseUrl, apiBaseUrl, path, prompt, outsideWechat, session, refreshTokenLifetimeMs, refresh, reconsentWindowMs, retainInactiveDays, requestTimeoutMs, allowedOrigins, consentText, onSignIn, dataSource.',
    ],
  ])('is found, with the one that was meant: %j', (options, name, cure) => {
    expect(problemsOf(options)).toEqual([`${name} is not an option of this module. ${cure}`]);
  });

  it('does no harm while it is undefined', () => {
    expect(resolve({ publicURL: undefined } as WechatAuthOptions)).toEqual(resolve());
  });
});

describe('wrong settings', () => {
  it.each<[string, object, Environment, string]>([
    [
      'no app id',
      {},
      { WECHAT_APP_ID: undefined },
      `appId (WECHAT_APP_ID) is missing. ${APP_ID_CURE} ${ENV_FILE}`,
    ],
    [
      'a blank app id',
      {},
      { WECHAT_APP_ID: '  ' },
      `appId (WECHAT_APP_ID) is missing. ${APP_ID_CURE} ${ENV_FILE}`,
    ],
    [
      'an option that is empty, and wins over the variable',
      { appId: '' },
      {},
      `appId (WECHAT_APP_ID) is missing: the option holds an empty text. ${APP_ID_CURE}`,
    ],
    [
      'no secret',
      {},
      { WECHAT_APP_SECRET: undefined },
      `appSecret (WECHAT_APP_SECRET) is missing. ${APP_SECRET_CURE}`,
    ],
    [
      'no public URL',
      {},
      { WECHAT_PUBLIC_URL: undefined },
      `publicUrl (WECHAT_PUBLIC_URL) is missing. ${PUBLIC_URL_CURE}`,
    ],
    [
      'only commas for a public URL',
      {},
      { WECHAT_PUBLIC_URL: ', ,' },
      `publicUrl (WECHAT_PUBLIC_URL) is missing: it holds nothing but commas. ${PUBLIC_URL_CURE}`,
    ],
    [
      'a list of public URLs',
      { publicUrl: ['https://shop.example.com'] },
      {},
      `publicUrl (WECHAT_PUBLIC_URL) is not a text: the option holds a list. ${PUBLIC_URL_CURE}`,
    ],
    ['no keys', {}, { WECHAT_AUTH_KEYS: undefined }, `keys (WECHAT_AUTH_KEYS) is missing. ${MAKE_A_KEY}`],
    [
      'only commas for keys',
      { keys: ',' },
      {},
      `keys (WECHAT_AUTH_KEYS) is missing: it holds nothing but commas. ${MAKE_A_KEY}`,
    ],
    [
      'an address of WeChat’s pages that is none',
      {},
      { WECHAT_OPEN_BASE_URL: 'open.weixin.qq.com' },
      'openBaseUrl (WECHAT_OPEN_BASE_URL) has no https:// before it. Leave it out for the real WeChat; an emulator’s is like http://localhost:3010.',
    ],
    [
      'an address of WeChat’s API with a query',
      {},
      { WECHAT_API_BASE_URL: 'https://api.weixin.qq.com?a' },
      'apiBaseUrl (WECHAT_API_BASE_URL) has a query or a fragment. Leave it out for the real WeChat; an emulator’s is like http://localhost:3010.',
    ],
    [
      'WeChat’s API by plain http',
      {},
      { WECHAT_API_BASE_URL: 'http://api.weixin.qq.com' },
      'apiBaseUrl (WECHAT_API_BASE_URL) is plain http outside this machine. Use https; the app secret travels there.',
    ],
    [
      'an emulator’s pages with the real WeChat’s API',
      {},
      { WECHAT_OPEN_BASE_URL: 'http://localhost:3010' },
      'openBaseUrl (WECHAT_OPEN_BASE_URL) leads to this machine, but apiBaseUrl (WECHAT_API_BASE_URL) to the real WeChat, api.weixin.qq.com. Set both for an emulator; leave both out for the real WeChat.',
    ],
    [
      'an app id beside a list of accounts',
      { appId: APP_ID, accounts: [{ appId: 'wxffffffffffffffff', appSecret: APP_SECRET }] },
      {},
      'appId is given beside accounts, and without effect. Leave it out, or put it into accounts: the first is the default.',
    ],
    [
      'an app secret beside a list of accounts',
      { appSecret: APP_SECRET, accounts: [{ appId: APP_ID, appSecret: APP_SECRET }] },
      {},
      'appSecret is given beside accounts, and without effect. Leave it out, or put it into accounts: the first is the default.',
    ],
    [
      'an unknown prompt',
      { prompt: 'never' },
      {},
      'prompt is unknown: the option holds a text of 5 characters. Choose one of: explain, direct.',
    ],
    [
      'an unknown outsideWechat',
      { outsideWechat: true },
      {},
      'outsideWechat is unknown: the option holds true. Choose one of: open-in-wechat, redirect.',
    ],
    [
      'a session that is none',
      { session: 30 * DAY_MS },
      {},
      'session is not an object: the option holds a number. Write it like { maxAgeMs, reverifyAfterMs, store }.',
    ],
    [
      'a session of no time',
      { session: { maxAgeMs: 0 } },
      {},
      `session.maxAgeMs is not ${MILLISECONDS}: the option holds zero. Leave it out for the default.`,
    ],
    [
      'a session whose user is found out anew all the time',
      { session: { reverifyAfterMs: 1_000 } },
      {},
      'session.reverifyAfterMs is not a number of milliseconds from 60000 to 34560000000: the option holds a number. Leave it out for the default.',
    ],
    [
      'a store that is not made',
      { session: { store: HostStore } },
      {},
      'session.store is not an object with read, write and clear: the option holds a function. Give an instance of a class that extends WechatSessionStore, not the class.',
    ],
    [
      'a time limit that is no number',
      { requestTimeoutMs: NaN },
      {},
      'requestTimeoutMs is not a number of milliseconds from 1 to 60000: the option holds NaN. Leave it out for the default.',
    ],
    [
      'a time limit in words',
      { requestTimeoutMs: '5000' },
      {},
      'requestTimeoutMs is not a number of milliseconds from 1 to 60000: the option holds a text of 4 characters. Write it as a number, without quotes. Leave it out for the default.',
    ],
    [
      'no time limit',
      { requestTimeoutMs: Infinity },
      {},
      'requestTimeoutMs is not a number of milliseconds from 1 to 60000: the option holds a number. Leave it out for the default.',
    ],
    [
      'a user who is not kept for a day',
      { retainInactiveDays: 0 },
      {},
      'retainInactiveDays is not a whole number from 1 to 3650: the option holds zero. Leave it out for the default.',
    ],
    [
      'a life of refresh tokens before they are made',
      { refreshTokenLifetimeMs: -1 },
      {},
      `refreshTokenLifetimeMs is not ${MILLISECONDS}: the option holds a negative number. Leave it out for the default.`,
    ],
    [
      'a consent text of nothing',
      { consentText: ' ' },
      {},
      'consentText is not a text: the option holds an empty text. Leave it out for the default.',
    ],
    [
      'a hook that was called instead of given',
      { onSignIn: Promise.resolve() },
      {},
      'onSignIn is not a function: the option holds a promise. Write it like async (user) => { ... }.',
    ],
    [
      'one allowed origin that is no list',
      { allowedOrigins: 'https://admin.example.com' },
      {},
      "allowedOrigins is not a list: the option holds a text of 25 characters. Write scheme, host and port alone: ['https://admin.example.com'].",
    ],
    ...(
      [
        ['https://admin.example.com/', 'is not an origin: it has a path, a standard port or capital letters'],
        [
          'https://admin.example.com/app',
          'is not an origin: it has a path, a standard port or capital letters',
        ],
        [
          'https://admin.example.com:443',
          'is not an origin: it has a path, a standard port or capital letters',
        ],
        ['admin.example.com', 'has no https:// before it'],
        ['*', 'has no https:// before it'],
        ['https://*.example.com', 'has a * for a host'],
        ['null', 'has no https:// before it'],
        [null, 'is not a text: the option holds null'],
      ] as const
    ).map(([origin, flaw]): [string, object, Environment, string] => [
      `the allowed origin ${String(origin)}`,
      { allowedOrigins: ['https://ok.example.com', origin] },
      {},
      `allowedOrigins[1] ${flaw}. Write scheme, host and port alone: ['https://admin.example.com'].`,
    ]),
    [
      'an allowed origin by plain http',
      { allowedOrigins: ['http://admin.example.com'] },
      {},
      'allowedOrigins[0] is plain http outside this machine. Use https; anybody on the way could send requests from there.',
    ],
    [
      'a data source that comes too late to be used',
      { dataSource: 'second' },
      {},
      'dataSource is a text of 6 characters here, and without effect. Give the name of a TypeORM data source to forRoot() among the options, to forRootAsync() beside useFactory.',
    ],
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
        refreshTokenLifetimeMs: -1,
        consentText: '',
      },
      {
        WECHAT_APP_ID: undefined,
        WECHAT_APP_SECRET: undefined,
        WECHAT_PUBLIC_URL: undefined,
        WECHAT_AUTH_KEYS: undefined,
      },
    );
    const names = error.problems.map(({ problem }) => /^[\w.[\]]+( \([A-Z_]+\))?/.exec(problem)?.[0]);
    expect(names.sort()).toEqual([
      'allowedOrigins[0]',
      'apiBaseUrl (WECHAT_API_BASE_URL)',
      'appId (WECHAT_APP_ID)',
      'appSecret (WECHAT_APP_SECRET)',
      'consentText',
      'keys (WECHAT_AUTH_KEYS)',
      'openBaseUrl (WECHAT_OPEN_BASE_URL)',
      'outsideWechat',
      'path',
      'prompt',
      'publicUrl (WECHAT_PUBLIC_URL)',
      'refreshTokenLifetimeMs',
      'requestTimeoutMs',
      'session.maxAgeMs',
    ]);
    expect(error.code).toBe('invalid_configuration');
    for (const { problem, cure } of error.problems) {
      expect(error.message).toContain(`\n  - ${problem} ${cure}`);
    }
  });

  it('are printed once by whatever prints the error, as Nest does at start', () => {
    expect(inspect(configurationError({ appId: 'x' })).split('is not the form of')).toHaveLength(2);
  });

  it('are told without any secret', () => {
    const secret = 'TOPSECRET4f1d';
    const long = Buffer.alloc(33, 5).toString('base64');
    const hexadecimal = Buffer.alloc(32, 6).toString('hex');
    const error = configurationError({
      accounts: [
        { appId: secret, appSecret: APP_SECRET },
        { appId: secret, appSecret: `${APP_SECRET} ${secret}` },
      ],
      keys: `k1:${secret},${secret},${KEY},k1:${long},k3:${hexadecimal},${secret}:k4`,
      publicUrl: `https://user:${secret}@shop.example.com,http://user:${secret}@other.example.com,${secret}`,
      apiBaseUrl: `http://${secret}@api.example.com?secret=${secret}`,
      openBaseUrl: secret,
      allowedOrigins: [secret],
      path: `/${secret}?`,
      prompt: secret as 'direct',
      outsideWechat: secret as 'redirect',
      requestTimeoutMs: secret as unknown as number,
      session: secret as never,
      onSignIn: secret as never,
    });
    expect(error.problems.length).toBeGreaterThanOrEqual(15);
    const text = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error);
    const hidden = [secret, APP_SECRET, SECRET.toString('base64'), long, hexadecimal];
    expect(hidden.filter((value) => text.includes(value))).toEqual([]);
  });
});

describe('a host without types', () => {
  const oddities = [
    null,
    true,
    false,
    0,
    -1.5,
    NaN,
    10n,
    '',
    'x',
    'undefined',
    Symbol('x'),
    () => {},
    HostStore,
    [],
    [null],
    [[]],
    {},
    { x: null },
    Object.create(null),
    new Date(NaN),
    new Map(),
    Promise.resolve(),
    Buffer.alloc(4),
  ] as unknown[];
  const names = Object.keys(resolve()).concat(
    'appId',
    'appSecret',
    'publicUrl',
    'session',
    'dataSource',
    'constructor',
  );

  it.each([...oddities, undefined])(
    'is told what is wrong where the options themselves are %p',
    (options) => {
      const problems = () => problemsOf(options as WechatAuthOptions, { WECHAT_APP_ID: undefined });
      expect(problems()).toContainEqual(expect.stringMatching(/ is missing\. /));
    },
  );

  it.each(names)('gets our error and no other, whatever %s is', (name) => {
    for (const value of oddities) {
      for (const options of [
        { [name]: value },
        { session: { [name]: value } },
        { accounts: [{ [name]: value }] },
      ]) {
        try {
          resolve(options as WechatAuthOptions);
        } catch (error) {
          expect(error).toBeInstanceOf(WechatConfigurationError);
        }
      }
    }
  });

  it.each(Object.keys(ENVIRONMENT).concat('WECHAT_OPEN_BASE_URL', 'WECHAT_API_BASE_URL'))(
    'is told the class of what its configuration made of %s',
    (name) => {
      for (const [value, kind] of [
        [5, 'a number'],
        [true, 'true'],
        [null, 'null'],
        [{}, 'an object'],
        [['x'], 'a list'],
        [10n, 'a bigint'],
      ] as const) {
        expect(problemsOf({}, { [name]: value })).toEqual([
          expect.stringContaining(`(${name}) is not a text: the variable holds ${kind}. `),
        ]);
      }
    },
  );
});

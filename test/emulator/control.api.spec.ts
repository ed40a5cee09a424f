import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { CONTROL_VERBS, USER_VERBS } from '../../src/emulator/control.verbs.js';
import type { WechatEmulator } from '../../src/emulator/index.js';
import {
  authorize,
  authorizeUrl,
  callAuth,
  callRefresh,
  callToken,
  callUserInfo,
  closeEmulators,
  codeOf,
  DAY_MS,
  errcodeOf,
  firstApp,
  MINUTE_MS,
  open,
  refresh,
  signIn,
  START,
  startEmulator,
  type Tokens,
  user,
} from './emulator.harness.js';

const WEBSITE = {
  appId: 'wx0000000000000002',
  appSecret: 'second',
  redirectDomains: ['localhost'],
  kind: 'website' as const,
};
const SERVICE = { appId: 'wx0000000000000001', appSecret: 'first', redirectDomains: ['localhost'] };

interface Answer {
  status: number;
  headers: Headers;
  json: Record<string, unknown>;
}

afterEach(closeEmulators);

async function read(wechat: WechatEmulator, path: string, init: RequestInit = {}): Promise<Answer> {
  const { status, headers, text } = await open(`${wechat.url}/emulator${path}`, init);
  expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
  expect(headers.get('access-control-allow-origin')).toBeNull();
  return { status, headers, json: JSON.parse(text) as Record<string, unknown> };
}

function post(wechat: WechatEmulator, path: string, body?: unknown): Promise<Answer> {
  return read(wechat, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Asks for the overview under another name than that of its address. */
async function askUnder(
  { url }: WechatEmulator,
  host: string,
): Promise<{ status: number | undefined; error: unknown }> {
  const [response] = (await once(get(`${url}/emulator`, { headers: { host } }), 'response')) as [
    IncomingMessage,
  ];
  return {
    status: response.statusCode,
    error: (JSON.parse(await text(response)) as { error?: string }).error,
  };
}

/** Does something, and sees to it that the answer says no more than that it is done. */
async function act(wechat: WechatEmulator, path: string, body?: unknown): Promise<void> {
  const { status, json } = await post(wechat, path, body);
  expect({ status, json }).toEqual({ status: 200, json: {} });
}

/** Does something to the first user. */
function actAsUser(wechat: WechatEmulator, verb: string, body?: unknown): Promise<void> {
  return act(wechat, `/users/${user(wechat).openid}/${verb}`, body);
}

describe('GET /emulator', () => {
  it('tells where WeChat is, what time it is there, its apps and its people', async () => {
    const wechat = await startEmulator();
    await open(`${wechat.url}/`);
    const { status, json } = await read(wechat, '');

    expect(status).toBe(200);
    expect(json).toMatchObject({
      url: wechat.url,
      openBaseUrl: wechat.openBaseUrl,
      apiBaseUrl: wechat.apiBaseUrl,
      now: START.toISOString(),
      apps: [{ appId: firstApp(wechat).appId, appSecret: firstApp(wechat).appSecret, kind: 'service' }],
      usersTotal: 3,
      requestsTotal: 1,
    });
    expect(json['users']).toEqual(JSON.parse(JSON.stringify(wechat.users)));
  });

  it('shows the first of many people, and the others page by page', async () => {
    const wechat = await startEmulator({ users: 120 });
    expect((await read(wechat, '')).json['users']).toHaveLength(50);

    const { json } = await read(wechat, '/users?offset=50&limit=60');
    expect(json).toMatchObject({ next: 110, total: 120 });
    expect(json['users']).toEqual(JSON.parse(JSON.stringify(wechat.users.slice(50, 110))));
    const last = await read(wechat, '/users?offset=110');
    expect(last.json).toMatchObject({ next: 120, total: 120 });
    expect(last.json['users']).toHaveLength(10);
    expect((await read(wechat, '/users?offset=500')).json).toEqual({ users: [], next: 120, total: 120 });
  });

  it('shows one person, found by the openid at any app', async () => {
    const wechat = await startEmulator({ apps: [SERVICE, WEBSITE] });
    const { openid } = user(wechat, 1);
    const { json } = await read(wechat, `/users/${openid}/openid-at?appId=${WEBSITE.appId}`);

    expect(json).toEqual({ openid: wechat.user(openid).openidAt(WEBSITE.appId) });
    for (const known of [openid, String(json['openid'])]) {
      expect((await read(wechat, `/users/${known}`)).json).toMatchObject({ openid, nickname: '陈一诺🌈' });
    }
  });

  it('answers HEAD as well, and lets nobody keep an answer', async () => {
    const wechat = await startEmulator();
    const { status, headers, text } = await open(`${wechat.url}/emulator`, { method: 'HEAD' });

    expect({ status, text }).toEqual({ status: 200, text: '' });
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('GET /emulator/requests', () => {
  it('tells what WeChat was asked, and nothing of the control itself', async () => {
    const wechat = await startEmulator();
    await post(wechat, '/advance-time', { ms: MINUTE_MS });
    await read(wechat, '/nothing');
    await callAuth(wechat, { access_token: 'x', openid: 'o' });

    expect((await read(wechat, '/requests')).json).toEqual({
      requests: [
        {
          method: 'GET',
          path: '/sns/auth',
          query: { access_token: 'x', openid: 'o' },
          endpoint: 'auth',
          at: new Date(START.getTime() + MINUTE_MS).toISOString(),
        },
      ],
      next: 1,
      total: 1,
    });
  });

  it('goes on where it ended, from the end too, and picks endpoints and paths', async () => {
    const wechat = await startEmulator();
    for (const openid of ['0', '1', '2', '3']) {
      await callAuth(wechat, { access_token: 'x', openid });
      await callUserInfo(wechat, { access_token: 'x', openid });
    }
    const openids = async (query: string) => {
      const { json } = await read(wechat, `/requests${query}`);
      const requests = json['requests'] as { query: Record<string, string> }[];
      return [requests.map(({ query: { openid } }) => openid).join(''), json['next']];
    };

    expect(await openids('?offset=2')).toEqual(['112233', 8]);
    expect(await openids('?limit=3')).toEqual(['001', 3]);
    expect(await openids('?offset=-3')).toEqual(['233', 8]);
    expect(await openids('?offset=-100&limit=1')).toEqual(['0', 1]);
    expect(await openids('?offset=100')).toEqual(['', 8]);
    expect(await openids('?endpoint=auth&limit=2')).toEqual(['01', 3]);
    expect(await openids('?path=/sns/userinfo&offset=3')).toEqual(['123', 8]);
    expect(await openids('?path=/nowhere')).toEqual(['', 8]);
  });
});

describe('a verb of the control API', () => {
  it('advances the time', async () => {
    const wechat = await startEmulator();
    const { json } = await post(wechat, '/advance-time', { ms: 31 * DAY_MS });

    expect(json).toEqual({ now: new Date(START.getTime() + 31 * DAY_MS).toISOString() });
    expect(wechat.now()).toEqual(new Date(START.getTime() + 31 * DAY_MS));
  });

  it('lets requests fail, so often, in such a share, for so long', async () => {
    const wechat = await startEmulator();
    const call = async () => errcodeOf(await callAuth(wechat, { access_token: 'x', openid: 'o' }));
    await act(wechat, '/fail-next', { endpoint: 'auth', fault: { errcode: 45011 }, times: 2 });
    expect([await call(), await call(), await call()]).toEqual([45011, 45011, 40001]);

    await act(wechat, '/fail-next', {
      endpoint: 'auth',
      fault: { errcode: -1 },
      share: 1,
      durationMs: 1_000,
    });
    expect([await call(), await call()]).toEqual([-1, -1]);
    await wechat.advanceTime(1_000);
    expect(await call()).toBe(40001);
  });

  it.each<[string, object, string, Buffer]>([
    ['text', { body: '你好', contentType: 'text/html' }, 'text/html', Buffer.from('你好')],
    ['bytes', { bodyBase64: '/wD+' }, 'text/plain', Buffer.from([0xff, 0, 0xfe])],
    ['nonsense', { bodyBytes: 5 }, 'text/plain', Buffer.from('{{{{{')],
  ])('answers with %s', async (_, fault, contentType, bytes) => {
    const wechat = await startEmulator();
    await act(wechat, '/fail-next', { endpoint: 'auth', fault });
    const response = await fetch(`${wechat.apiBaseUrl}/sns/auth`);

    expect(response.headers.get('content-type')).toBe(contentType);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });

  it('ends all faults', async () => {
    const wechat = await startEmulator();
    await act(wechat, '/fail-next', { endpoint: 'auth', fault: { hang: true }, times: 100 });
    await act(wechat, '/clear-faults');

    expect(errcodeOf(await callAuth(wechat, { access_token: 'x', openid: 'o' }))).toBe(40001);
  });

  it('signs somebody in', async () => {
    const wechat = await startEmulator();
    await act(wechat, '/sign-in-as', { openid: user(wechat, 2).openid });

    expect((await signIn(wechat, 'snsapi_base')).openid).toBe(user(wechat, 2).openid);
  });

  it('begins anew', async () => {
    const wechat = await startEmulator();
    const tokens = await signIn(wechat, 'snsapi_userinfo');
    await post(wechat, '/advance-time', { ms: DAY_MS });
    await act(wechat, '/fail-next', { endpoint: 'refresh', fault: { hang: true } });
    await act(wechat, '/reset');

    expect(wechat.now()).toEqual(START);
    expect(wechat.requests).toEqual([]);
    expect(errcodeOf(await callRefresh(wechat, { refresh_token: tokens.refresh_token }))).toBe(40030);
  });

  it('lets a person follow the account, and open pages from its chat', async () => {
    const wechat = await startEmulator({ users: [{ nickname: '赵' }] });
    await actAsUser(wechat, 'follow');
    expect(user(wechat).follows).toBe(true);
    const silently = async () =>
      (await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }))).status === 302;

    expect(await silently()).toBe(false);
    await actAsUser(wechat, 'open-from-chat', { on: false });
    expect(await silently()).toBe(false);
    await actAsUser(wechat, 'open-from-chat');
    expect(await silently()).toBe(true);
    await actAsUser(wechat, 'unfollow', {});
    expect(user(wechat).follows).toBe(false);
  });

  it('lets a person change the password, withdraw the consent, and close the account', async () => {
    const wechat = await startEmulator();
    const first = await signIn(wechat, 'snsapi_userinfo');
    await actAsUser(wechat, 'withdraw-consent');
    expect(errcodeOf(await callUserInfo(wechat, first))).toBe(50001);
    await actAsUser(wechat, 'change-password');
    expect(errcodeOf(await callAuth(wechat, first))).toBe(42007);

    const second = await signIn(wechat, 'snsapi_base');
    await actAsUser(wechat, 'deregister');
    expect(errcodeOf(await callRefresh(wechat, { refresh_token: second.refresh_token }))).toBe(50002);
  });

  it('shows a person the application as a snapshot page, until it is switched off', async () => {
    const wechat = await startEmulator();
    await actAsUser(wechat, 'snapshot');
    const page = await open(authorizeUrl(wechat, { scope: 'snsapi_userinfo' }));
    expect((await callToken(wechat, { code: codeOf(page) })).text).toContain('"is_snapshotuser":1');

    await actAsUser(wechat, 'snapshot', { on: false });
    expect((await signIn(wechat, 'snsapi_userinfo')).is_snapshotuser).toBeUndefined();
  });

  it('authorizes at once, at the first app or another one', async () => {
    const second = { ...WEBSITE, kind: 'service' as const };
    const wechat = await startEmulator({ apps: [SERVICE, second] });
    const { openid } = user(wechat);
    const path = `/users/${openid}/authorize`;
    const { json } = await post(wechat, path, { scope: 'snsapi_userinfo' });

    expect(json).toMatchObject({ openid, scope: 'snsapi_userinfo', expires_in: 7200 });
    expect((await refresh(wechat, json as unknown as Tokens)).access_token).toBe(json['access_token']);
    const other = await post(wechat, path, { scope: 'snsapi_base', appId: second.appId });
    expect(other.json['openid']).toBe(wechat.user(openid).openidAt(second.appId));
  });

  it('is kept by the state file, as every other act', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'wechat-emulator-'));
    try {
      const stateFile = join(folder, 'state.json');
      const first = await startEmulator({ stateFile });
      await post(first, '/advance-time', { ms: DAY_MS });
      await first.close();

      const second = await startEmulator({ stateFile });
      expect(second.now()).toEqual(new Date(START.getTime() + DAY_MS));
      await rm(folder, { recursive: true });
      // And what cannot be kept any more is not done in silence.
      const { status, json } = await post(second, '/advance-time', { ms: DAY_MS });
      expect(status).toBe(500);
      expect(json['error']).toContain('Its folder must exist and be writable.');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('takes openids as they are encoded in a path', async () => {
    const wechat = await startEmulator({ users: [{ nickname: '赵', openid: 'o 赵/1%' }] });
    await act(wechat, `/users/${encodeURIComponent('o 赵/1%')}/follow`);

    expect(user(wechat).follows).toBe(true);
  });
});

describe('docs/emulator.md', () => {
  const document = readFile(resolve(import.meta.dirname, '../../docs/emulator.md'), 'utf8');

  it('lists every verb with what it takes, and no other', async () => {
    const verbs = [
      ...[...CONTROL_VERBS].map(([path, verb]) => ({ path: `/emulator${path}`, ...verb })),
      ...[...USER_VERBS].map(([path, verb]) => ({ path: `/emulator/users/<openid>${path}`, ...verb })),
    ];
    const listed = [...(await document).matchAll(/^\| `((?:GET|POST) \/emulator[^`]*)` \|([^|]*)\|/gm)].map(
      ([, request, takes = '']) => [request, [...takes.matchAll(/`(\w+)\??`/g)].map(([, name]) => name)],
    );
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(verbs.map(({ method, path, fields }) => [`${method} ${path}`, Object.keys(fields)])),
    );
  });

  it('tells of every option', async () => {
    const unknown = { unknown: true } as object;
    const refusal = await startEmulator(unknown).then(() => '', String);
    const [, options = ''] = /there are (.*)\.$/.exec(refusal) ?? [];
    const text = await document;
    const untold = options.split(', ').filter((option) => !new RegExp(`\`${option}\\b`).test(text));
    expect(options.split(', ').length).toBeGreaterThan(20);
    expect(untold).toEqual([]);
  });
});

describe('the control API refuses', () => {
  it.each<[string, string, unknown, string]>([
    ['a time that is a text', '/advance-time', { ms: '1000' }, 'body.ms is "1000": give a number.'],
    ['a time that is missing', '/advance-time', {}, 'body.ms is undefined: give a number.'],
    ['to go back in time', '/advance-time', { ms: -1 }, 'cannot go forward by -1 ms'],
    ['to go beyond all dates', '/advance-time', { ms: 9e15 }, 'no more than fits into a date'],
    ['an unknown field', '/advance-time', { mss: 1 }, 'body has "mss", which is unknown: there are ms.'],
    ['a field of every object', '/advance-time', { ms: 1, toString: 1 }, 'body has "toString"'],
    ['a body that is a list', '/advance-time', [], 'body is a list: give an object.'],
    [
      'a body where there is nothing to say',
      '/reset',
      { all: true },
      'The body has to be empty: this takes nothing.',
    ],
    ['a query', '/reset?all=true', undefined, 'The query has to be empty'],
    [
      'an unknown openid',
      '/sign-in-as',
      { openid: 'oNobody' },
      'no user with the openid "oNobody". It has o',
    ],
    [
      'an unknown endpoint',
      '/fail-next',
      { endpoint: 'sns', fault: { status: 502 } },
      'choose one of authorize, token',
    ],
    [
      'a fault that is none',
      '/fail-next',
      { endpoint: 'auth', fault: {} },
      'give exactly one of { errcode: 45011 }',
    ],
    [
      'two faults in one',
      '/fail-next',
      { endpoint: 'auth', fault: { hang: true, cut: true } },
      'give exactly one of',
    ],
    [
      'an unknown field of a fault',
      '/fail-next',
      { endpoint: 'auth', fault: { delay: 1 } },
      'body.fault has "delay", which is unknown: there are errcode',
    ],
    [
      'bytes and a text',
      '/fail-next',
      { endpoint: 'auth', fault: { body: '', bodyBase64: '' } },
      'has both body and bodyBase64',
    ],
    [
      'bytes that are not base64',
      '/fail-next',
      { endpoint: 'auth', fault: { bodyBase64: '?' } },
      'give the bytes as base64 text',
    ],
    [
      'a content type of two lines',
      '/fail-next',
      { endpoint: 'auth', fault: { body: '', contentType: 'a\r\nb: c' } },
      'give a content type',
    ],
    [
      'no times',
      '/fail-next',
      { endpoint: 'auth', fault: { hang: true }, times: 0 },
      'give a whole number of 1 or more',
    ],
    [
      'more than all',
      '/fail-next',
      { endpoint: 'auth', fault: { hang: true }, share: 2 },
      'give `share` above 0, and 1 at the most',
    ],
  ])('%s', async (_, path, body, words) => {
    const wechat = await startEmulator();
    const { status, json } = await post(wechat, path, body);

    expect(status).toBe(400);
    expect(Object.keys(json)).toEqual(['error']);
    expect(json['error']).toContain(words);
    expect(json['error']).not.toMatch(/\n\s+at /);
    expect(wechat.now()).toEqual(START);
  });

  it.each<[string, string, unknown, string]>([
    ['a scope that is none', 'authorize', { scope: 'base' }, 'choose one of snsapi_base, snsapi_userinfo'],
    ['an unknown app', 'authorize', { scope: 'snsapi_base', appId: 'wx0' }, 'The emulator has no app wx0.'],
    ['what is neither on nor off', 'snapshot', { on: 'no' }, 'body.on is "no": give true or false.'],
  ])('%s', async (_, verb, body, words) => {
    const wechat = await startEmulator();
    const { status, json } = await post(wechat, `/users/${user(wechat).openid}/${verb}`, body);

    expect(status).toBe(400);
    expect(json['error']).toContain(words);
  });

  it.each([
    ['/requests?limit=0', 'query.limit is "0": give a whole number of 1 or more.'],
    ['/requests?offset=all', 'query.offset is "all": give a whole number.'],
    ['/requests?since=1', 'query has "since", which is unknown: there are offset, limit, endpoint, path.'],
    ['/users?endpoint=auth', 'there are offset, limit.'],
    ['?verbose=1', 'The query has to be empty'],
  ])('the query of %s', async (path, words) => {
    const { status, json } = await read(await startEmulator(), path);

    expect(status).toBe(400);
    expect(json['error']).toContain(words);
  });

  it('paths and people that there are not, and says which there are', async () => {
    const wechat = await startEmulator();
    const { openid } = user(wechat);
    for (const path of ['/', '/advance', '/users/', `/users/${openid}/`, `/users/${openid}/leave`, 's']) {
      const { status, json } = await read(wechat, path);
      expect({ path, status }).toEqual({ path, status: 404 });
      expect(json['error']).toContain('/emulator/users/<openid>/follow');
    }
    for (const path of ['/users/oNobody', '/users/%', '/users/oNobody/openid-at?appId=wx0']) {
      const { status, json } = await read(wechat, path);
      expect({ path, status }).toEqual({ path, status: 404 });
      expect(json['error']).toContain(`It has ${openid}`);
    }
  });

  it('the wrong method, and says which is right', async () => {
    const wechat = await startEmulator();
    const asked = await read(wechat, '/advance-time');
    expect(asked.status).toBe(405);
    expect(asked.headers.get('allow')).toBe('POST');
    expect(asked.json['error']).toBe('This takes POST, not GET.');

    const told = await post(wechat, '');
    expect(told.status).toBe(405);
    expect(told.headers.get('allow')).toBe('GET, HEAD');
    expect((await read(wechat, '/reset', { method: 'OPTIONS' })).status).toBe(405);
  });

  it.each<[string, RequestInit]>([
    ['no content type at all', {}],
    ['a text', { body: '{"ms":1}' }],
    ['a form', { body: new URLSearchParams({ ms: '1' }) }],
    ['a type that only looks alike', { body: '{"ms":1}', headers: { 'content-type': 'application/jsonp' } }],
  ])('what a web page could send without asking: %s', async (_, init) => {
    const wechat = await startEmulator();
    const { status, json } = await read(wechat, '/advance-time', { method: 'POST', ...init });

    expect(status).toBe(415);
    expect(json['error']).toContain('send the header Content-Type: application/json');
    expect(wechat.now()).toEqual(START);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '[::2]',
    'a b',
    'xn--',
  ])('what a web page could send under a name of its own that leads to this machine: %s', async (name) => {
    const wechat = await startEmulator();
    const { port } = new URL(wechat.url);
    const { status, error } = await askUnder(wechat, `${name}:${port}`);

    expect(status).toBe(403);
    expect(error).toContain(`The Host header is "${name}:${port}"`);
    expect(error).toContain(`Ask 127.0.0.1:${port}, or send the header Host: localhost.`);
  });

  it.each(['localhost', 'LOCALHOST:1', 'app.localhost:80', '127.0.0.1', '127.8.9.1:3010', '[::1]:3010', ''])(
    'but not what comes under a name of this machine, or under none: %j',
    async (host) => {
      expect((await askUnder(await startEmulator(), host)).status).toBe(200);
    },
  );

  it('what is not JSON, and what is too much of it', async () => {
    const wechat = await startEmulator();
    const send = (body: string) =>
      read(wechat, '/advance-time', {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body,
      });
    const broken = await send('{"ms":');
    expect(broken.status).toBe(400);
    expect(broken.json['error']).toContain('The body is not JSON');
    const huge = await send(`{"ms":${' '.repeat(17 * 1024 * 1024)}1}`);
    expect(huge.status).toBe(413);
    expect(huge.json['error']).toContain('bodyBytes');
    expect((await send('{"ms":1}')).status).toBe(200);
  });

  it('nothing of what its own pages send: people still switch by a form', async () => {
    const wechat = await startEmulator();
    const page = await open(`${wechat.url}/emulator/switch-user`, {
      method: 'POST',
      body: new URLSearchParams({ openid: user(wechat, 1).openid }),
    });

    expect(page.status).toBe(303);
    expect(page.headers.get('set-cookie')).toContain(user(wechat, 1).openid);
    expect(await authorize(wechat, 'snsapi_base')).toMatch(/^0\d1/);
  });
});

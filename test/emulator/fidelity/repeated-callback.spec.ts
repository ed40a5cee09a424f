import type { WechatEmulatorOptions } from '../../../src/emulator/index.js';
import {
  answer,
  askForProfile,
  authorizeUrl,
  callAuth,
  callToken,
  errcodeOf,
  open,
  pathOf,
  REDIRECT_URI,
  startEmulator,
  type Page,
  type Tokens,
} from '../emulator.harness.js';
import { table, type Fact } from './fidelity.table.js';

type Variant = NonNullable<WechatEmulatorOptions['doubleCallback']>;

const VARIANTS: readonly Variant[] = ['same-code', 'two-codes', 'restored'];

// No document mentions any of it; test/browser has the same in a browser.
table('a callback that comes twice (doubleCallback)', [
  [
    'B',
    'same-code: two callbacks, with one code and one state',
    async () => {
      const [first, second, ...others] = callbacks(await authorizeTwice('same-code'));
      expect([codeIn(first), first, others]).toEqual([expect.stringMatching(/^0\d1/), second, []]);
    },
  ],
  [
    'C',
    'two-codes: two callbacks, with a code each and one state',
    async () => {
      const [first = '', second = '', ...others] = callbacks(await authorizeTwice('two-codes'));
      expect(codeIn(first)).not.toBe(codeIn(second));
      expect([first, second].map(withoutCode)).toEqual(
        Array(2).fill(`${REDIRECT_URI}&code=CODE&state=abc123`),
      );
      expect(others).toEqual([]);
    },
  ],
  [
    'C',
    'two-codes: both codes can be exchanged, and the second one ends the tokens of the first',
    async () => {
      const wechat = await startEmulator({ doubleCallback: 'two-codes' });
      const [first = '', second = ''] = callbacks(await open(authorizeUrl(wechat)));
      const { text } = await callToken(wechat, { code: codeIn(first) });
      expect(errcodeOf(await callToken(wechat, { code: codeIn(second) }))).toBe(0);
      expect(errcodeOf(await callAuth(wechat, JSON.parse(text) as Tokens))).toBe(40001);
    },
  ],
  [
    'C',
    'restored: the page before the callback is kept, and goes there again hours later, which answers 40029',
    async () => {
      const wechat = await startEmulator({ doubleCallback: 'restored' });
      const page = await open(authorizeUrl(wechat));
      const [callback = '', ...others] = callbacks(page);
      expect([page.headers.get('cache-control'), others]).toEqual(['private, max-age=86400', []]);
      expect(errcodeOf(await callToken(wechat, { code: codeIn(callback) }))).toBe(0);
      await wechat.advanceTime(3 * 3_600_000);
      expect(errcodeOf(await callToken(wechat, { code: codeIn(callback) }))).toBe(40029);
    },
  ],
  ...VARIANTS.flatMap((variant): Fact[] => [
    [
      'B',
      `${variant}: with connect_redirect=1 the callback comes once`,
      async () => {
        const page = await authorizeTwice(variant, { connect_redirect: '1' });
        expect([page.status, pathOf(page)]).toEqual([302, `${REDIRECT_URI}&code=CODE&state=abc123`]);
      },
    ],
  ]),
  [
    'G',
    'a refusal comes once',
    async () => {
      const wechat = await startEmulator({ doubleCallback: 'same-code' });
      expect((await answer(wechat, await askForProfile(wechat), '0')).status).toBe(302);
    },
  ],
]);

async function authorizeTwice(doubleCallback: Variant, changes: Record<string, string> = {}): Promise<Page> {
  const wechat = await startEmulator({ doubleCallback });
  return open(authorizeUrl(wechat, changes));
}

/** The callbacks that the page goes to by script. */
function callbacks({ text }: Page): string[] {
  return [...text.matchAll(/<a href="([^"]*)"/g)].map(([, href = '']) => href.replaceAll('&#38;', '&'));
}

function codeIn(callback = ''): string {
  return new URL(callback).searchParams.get('code') ?? '';
}

function withoutCode(callback: string): string {
  return callback.replace(/code=\w{32}/, 'code=CODE');
}

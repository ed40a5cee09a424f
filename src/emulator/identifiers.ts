import { createHash } from 'node:crypto';
import type { SeededRandom } from './random.js';

const DIGITS = '0123456789';
const HEX = '0123456789abcdef';
const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

const OPENID_LENGTH = 28;

/**
 * An authorization code: 32 characters, `0`, a digit, `1`, and four characters that come again at positions 28 to
 * 31. All codes seen in public since 2017 look like this.
 */
export function createAuthorizationCode(random: SeededRandom): string {
  const mark = random.text(4, LETTERS_AND_DIGITS);
  return `0${random.text(1, DIGITS)}1${mark}${random.text(20, LETTERS_AND_DIGITS)}${mark}${random.text(1, LETTERS_AND_DIGITS)}`;
}

/** The id of a consent page: 16 characters that begin as a code does. */
export function createConsentUuid(random: SeededRandom): string {
  return `0${random.text(1, DIGITS)}1${random.text(13, LETTERS_AND_DIGITS)}`;
}

/**
 * What an error message ends with: a `rid` of three groups of eight hexadecimal digits, the first of them the Unix time,
 * or a `req_id` as until about 2020.
 */
export function createRequestId(style: 'rid' | 'hints', random: SeededRandom, now: Date): string {
  if (style === 'hints') return `hints: [ req_id: ${random.text(13, LETTERS_AND_DIGITS)} ]`;
  const seconds = Math.floor(now.getTime() / 1000)
    .toString(16)
    .padStart(8, '0');
  return `rid: ${seconds}-${random.text(8, HEX)}-${random.text(8, HEX)}`;
}

/** An openid or unionid that is the same whenever it is derived from the same parts. */
export function deriveOpenid(...parts: string[]): string {
  const digest = createHash('sha256').update(parts.join('\n')).digest('base64url');
  // A text of its own: a slice would keep the whole digest in memory, of which there may be a million.
  return Buffer.from(`o${digest}`, 'latin1').toString('latin1', 0, OPENID_LENGTH);
}

/** @returns an id that stands in an address. What is encoded wrongly is nobody's id, and stays as it is. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { createHash } from 'node:crypto';
import type { SeededRandom } from './random.js';

const DIGITS = '0123456789';
const HEX = '0123456789abcdef';
const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const URL_SAFE = `${LETTERS_AND_DIGITS}-_`;

const TOKEN_LENGTH = 110;
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

/** An access or refresh token: 110 characters, the first of them a number that grows by about one a month. */
export function createToken(random: SeededRandom, now: Date): string {
  const monthsSinceAugust2024 = Math.floor((now.getTime() - Date.UTC(2024, 7, 1)) / (30.44 * 86_400_000));
  const prefix = `${String(Math.max(1, 83 + monthsSinceAugust2024))}_`;
  return prefix + random.text(TOKEN_LENGTH - prefix.length, URL_SAFE);
}

/** The `rid` behind an error message: three groups of eight hexadecimal digits, the first of them the Unix time. */
export function createRequestId(random: SeededRandom, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000)
    .toString(16)
    .padStart(8, '0');
  return `${seconds}-${random.text(8, HEX)}-${random.text(8, HEX)}`;
}

/** An openid or unionid that is the same whenever it is derived from the same parts. */
export function deriveOpenid(...parts: string[]): string {
  const digest = createHash('sha256').update(parts.join('\n')).digest('base64url');
  return `o${digest.slice(0, OPENID_LENGTH - 1)}`;
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { WechatError } from './errors.js';
import type { WechatRandomness } from './randomness.js';

/** One entry of `WECHAT_AUTH_KEYS`. */
export interface SealingKey {
  kid: string;
  /** 32 bytes. */
  secret: Buffer;
}

/** What a sealed text is for. Each purpose has a key of its own, so none is ever accepted in another's place. */
export type SealPurpose = 'tokens' | 'userinfo' | 'session' | 'ticket' | 'outcome';

/**
 * A sealed text did not open. `code` is `unknown_key` (sealed by a key that this process does not have) or
 * `not_authentic` (damaged, tampered with, or meant for another place).
 */
export class SealError extends WechatError {
  declare readonly code: 'unknown_key' | 'not_authentic';

  constructor(code: SealError['code'], message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

interface KeyOfPurpose {
  kid: string;
  key: Buffer;
  /** The protected header of everything sealed with this key, encoded. */
  header: string;
}

/**
 * Seals JSON claims so that nobody without the key can read or change them: an encrypted JWT in compact JWE
 * form (`dir`, `A256GCM`), with the key's id in the header. Any JOSE library can open it with the derived key;
 * `node:crypto` does so several times faster.
 *
 * The `aud` claim names the one place a text belongs to (a row, a cookie), so that it cannot be moved.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7516
 * @see https://www.rfc-editor.org/rfc/rfc7519
 */
export class Sealer {
  private readonly derived = new Map<string, readonly KeyOfPurpose[]>();

  /** @param keys the first seals, all open; at least one. */
  constructor(
    private readonly keys: readonly [SealingKey, ...SealingKey[]],
    private readonly randomness: WechatRandomness,
  ) {}

  /** @param audience the place that the text belongs to, and the only one in which it opens. */
  seal(purpose: SealPurpose, audience: string, claims: object): string {
    const { key, header } = this.firstKey(purpose);
    const iv = this.randomness.bytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header, 'ascii'));
    const plaintext = JSON.stringify({ ...claims, aud: audience });
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    const parts = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
    return `${header}..${parts.join('.')}`;
  }

  /** @throws {SealError} if the text was not sealed for this purpose and audience by one of the keys. */
  open(purpose: SealPurpose, audience: string, sealed: string): Record<string, unknown> {
    const [header = '', encryptedKey, iv = '', ciphertext = '', tag = '', ...rest] = sealed.split('.');
    if (encryptedKey !== '' || rest.length > 0) throw notAuthentic();
    const { key } = this.keyOf(purpose, header);
    const ivBytes = decodeCanonical(iv);
    const tagBytes = decodeCanonical(tag);
    if (ivBytes.length !== IV_BYTES || tagBytes.length !== TAG_BYTES) throw notAuthentic();
    let plaintext: Buffer;
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, ivBytes, { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(header, 'ascii'))
        .setAuthTag(tagBytes);
      plaintext = Buffer.concat([decipher.update(decodeCanonical(ciphertext)), decipher.final()]);
    } catch (cause) {
      throw notAuthentic(cause);
    }
    const claims = parseObject(plaintext);
    if (claims['aud'] !== audience) throw notAuthentic();
    return claims;
  }

  /** @returns a keyed digest (HMAC-SHA256, lower-case hex) of the text that only a holder of the keys can make. */
  mac(text: string): string {
    return hmac(this.firstKey('mac').key, text).toString('hex');
  }

  /** @returns whether `mac` is the keyed digest of the text under any of the keys. Takes constant time per key. */
  verifyMac(text: string, mac: string): boolean {
    if (!/^[0-9a-f]{64}$/.test(mac)) return false;
    const given = Buffer.from(mac, 'hex');
    return this.keysOf('mac').some(({ key }) => {
      const expected = hmac(key, text);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }

  private firstKey(purpose: SealPurpose | 'mac'): KeyOfPurpose {
    // There is at least one key, by the constructor's type.
    return this.keysOf(purpose)[0] as KeyOfPurpose;
  }

  private keyOf(purpose: SealPurpose, header: string): KeyOfPurpose {
    const keys = this.keysOf(purpose);
    // Nearly every text was sealed here, with a header known to the letter; parsing is for other JOSE writers.
    const known = keys.find((key) => key.header === header);
    if (known) return known;
    const { alg, enc, kid, crit, zip } = parseObject(decodeCanonical(header));
    if (alg !== 'dir' || enc !== 'A256GCM' || crit !== undefined || zip !== undefined) throw notAuthentic();
    const named = keys.find((key) => key.kid === kid);
    if (!named) {
      throw new SealError(
        'unknown_key',
        'The sealed text names a key that is not in WECHAT_AUTH_KEYS. Keep a retired key in the list until nothing is sealed with it.',
      );
    }
    return named;
  }

  private keysOf(purpose: SealPurpose | 'mac'): readonly KeyOfPurpose[] {
    let keys = this.derived.get(purpose);
    if (!keys) {
      keys = this.keys.map(({ kid, secret }) => ({
        kid,
        key: deriveKey(secret, purpose),
        header: sealHeader(kid),
      }));
      this.derived.set(purpose, keys);
    }
    return keys;
  }
}

/** What every text sealed with the key of this id begins with, up to the first dot. */
export function sealHeader(kid: string): string {
  return Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid })).toString('base64url');
}

/**
 * The key of one purpose (HKDF-SHA256, no salt, the purpose as info).
 *
 * @see https://www.rfc-editor.org/rfc/rfc5869
 */
export function deriveKey(secret: Buffer, purpose: SealPurpose | 'mac'): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `nestjs-wechat-auth/${purpose}`, KEY_BYTES));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** The parser's own error is dropped: it quotes what it read. */
function parseObject(bytes: Buffer): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // Not JSON: no text of ours.
  }
  throw notAuthentic();
}

/** Decodes base64url, refusing every spelling but the canonical one: one sealed text has one form. */
function decodeCanonical(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw notAuthentic();
  return bytes;
}

function notAuthentic(cause?: unknown): SealError {
  return new SealError('not_authentic', 'The sealed text is damaged, or was not sealed for this place.', {
    cause,
  });
}

import { createCipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { compactDecrypt, CompactEncrypt, EncryptJWT, jwtDecrypt, SignJWT } from 'jose';
import { SystemRandomness } from '../../src/common/randomness.js';
import { deriveKey, Sealer, SealError, type SealingKey, type SealPurpose } from '../../src/common/sealer.js';

const OLD: SealingKey = { kid: 'old', secret: Buffer.alloc(32, 1) };
const NEW: SealingKey = { kid: 'new', secret: Buffer.alloc(32, 2) };
const PURPOSES: readonly SealPurpose[] = ['tokens', 'userinfo', 'session', 'ticket', 'outcome'];
const AUDIENCE = 'wechat_grant/wx0123456789abcdef/oABC';
const HEADER = { alg: 'dir', enc: 'A256GCM', kid: 'old' };
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function sealerWith(...keys: [SealingKey, ...SealingKey[]]): Sealer {
  return new Sealer(keys, new SystemRandomness());
}

const sealer = sealerWith(OLD);

interface Opening {
  by?: Sealer;
  purpose?: SealPurpose;
  audience?: string;
}

function openingError(
  sealed: string,
  { by = sealer, purpose = 'tokens', audience = AUDIENCE }: Opening = {},
): SealError {
  try {
    by.open(purpose, audience, sealed);
  } catch (error) {
    if (error instanceof SealError) return error;
    throw error;
  }
  throw new Error(`opened: ${sealed}`);
}

/** Those of the texts that are not refused; the first few, for a message that can be read. */
function accepted(texts: readonly string[]): string[] {
  const opened = texts.filter((text) => {
    try {
      sealer.open('tokens', AUDIENCE, text);
      return true;
    } catch (error) {
      if (error instanceof SealError) return false;
      throw error;
    }
  });
  return opened.slice(0, 3);
}

/** A JWE with any header whatever, also one that jose would not write; its tag is right. */
function jweByHand(header: object, plaintext: Buffer, key = deriveKey(OLD.secret, 'tokens')): string {
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString('base64url');
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(encodedHeader));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const parts = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
  return `${encodedHeader}..${parts.join('.')}`;
}

describe('what the sealer seals', () => {
  const claims = { at: 'ACCESS', nickname: '小明🙂', n: 1.5, list: [null, true] };

  it.each(PURPOSES)('opens with jose and the derived key, for %s', async (purpose) => {
    const sealed = sealer.seal(purpose, AUDIENCE, claims);
    const { payload, protectedHeader } = await jwtDecrypt(sealed, deriveKey(OLD.secret, purpose), {
      audience: AUDIENCE,
    });
    expect(payload).toEqual({ ...claims, aud: AUDIENCE });
    expect(protectedHeader).toEqual(HEADER);
    const { plaintext } = await compactDecrypt(sealed, deriveKey(OLD.secret, purpose));
    expect(JSON.parse(Buffer.from(plaintext).toString('utf8'))).toEqual({ ...claims, aud: AUDIENCE });
  });

  it('fails the audience check of jose at any other place', async () => {
    const sealed = sealer.seal('tokens', AUDIENCE, claims);
    await expect(
      jwtDecrypt(sealed, deriveKey(OLD.secret, 'tokens'), { audience: `${AUDIENCE}D` }),
    ).rejects.toMatchObject({ code: 'ERR_JWT_CLAIM_VALIDATION_FAILED', claim: 'aud' });
  });

  it.each(PURPOSES)('is closed to jose with the key of another purpose than %s', async (purpose) => {
    const sealed = sealer.seal(purpose, AUDIENCE, claims);
    for (const other of PURPOSES.filter((name) => name !== purpose)) {
      await expect(compactDecrypt(sealed, deriveKey(OLD.secret, other))).rejects.toMatchObject({
        code: 'ERR_JWE_DECRYPTION_FAILED',
      });
    }
  });

  it('belongs to the audience that was named, whatever the claims say', () => {
    const sealed = sealer.seal('tokens', AUDIENCE, { aud: 'elsewhere' });
    expect(sealer.open('tokens', AUDIENCE, sealed)).toEqual({ aud: AUDIENCE });
    expect(openingError(sealed, { audience: 'elsewhere' }).code).toBe('not_authentic');
  });

  it('is another text each time, so that equal secrets cannot be told', () => {
    const texts = Array.from({ length: 100 }, () => sealer.seal('tokens', AUDIENCE, claims));
    const ivs = texts.map((text) => text.split('.')[2]);
    expect(new Set(texts).size).toBe(100);
    expect(new Set(ivs).size).toBe(100);
  });

  it('shows nothing of the claims', () => {
    const parts = sealer.seal('tokens', AUDIENCE, { at: 'ACCESS-TOKEN' }).split('.');
    const seen = parts.map((part) => Buffer.from(part, 'base64url').toString('latin1')).join('\n');
    expect(seen).toContain('"kid":"old"');
    expect(seen).not.toMatch(/ACCESS|wechat_grant/);
  });
});

describe('what jose seals', () => {
  it.each([
    ['EncryptJWT', HEADER],
    ['EncryptJWT with the parameters in another order', { kid: 'old', enc: 'A256GCM', alg: 'dir' }],
    ['EncryptJWT with typ', { ...HEADER, typ: 'JWT' }],
  ])('opens with the sealer: %s', async (_, header) => {
    const sealed = await new EncryptJWT({ at: 'ACCESS', nickname: '小明🙂' })
      .setProtectedHeader(header)
      .setAudience(AUDIENCE)
      .encrypt(deriveKey(OLD.secret, 'tokens'));
    expect(sealer.open('tokens', AUDIENCE, sealed)).toEqual({
      at: 'ACCESS',
      nickname: '小明🙂',
      aud: AUDIENCE,
    });
  });

  it('opens with the sealer: CompactEncrypt', async () => {
    const sealed = await new CompactEncrypt(Buffer.from(JSON.stringify({ at: 'ACCESS', aud: AUDIENCE })))
      .setProtectedHeader(HEADER)
      .encrypt(deriveKey(OLD.secret, 'tokens'));
    expect(sealer.open('tokens', AUDIENCE, sealed)).toEqual({ at: 'ACCESS', aud: AUDIENCE });
  });

  it.each([
    ['none', undefined],
    ['another', 'elsewhere'],
    ['a list with the right one', [AUDIENCE]],
  ])('is refused with the wrong audience: %s', async (_, audience) => {
    const jwt = new EncryptJWT({ at: 'ACCESS' }).setProtectedHeader(HEADER);
    if (audience !== undefined) jwt.setAudience(audience);
    const sealed = await jwt.encrypt(deriveKey(OLD.secret, 'tokens'));
    expect(openingError(sealed).code).toBe('not_authentic');
  });

  it.each(['null', '"text"', '1', 'true'])(
    'is refused as a SealError where its content is no object: %s',
    async (content) => {
      const sealed = await new CompactEncrypt(Buffer.from(content))
        .setProtectedHeader(HEADER)
        .encrypt(deriveKey(OLD.secret, 'tokens'));
      expect(openingError(sealed).code).toBe('not_authentic');
    },
  );

  it('is refused where it is only signed', async () => {
    const signed = await new SignJWT({ at: 'ACCESS' })
      .setProtectedHeader({ alg: 'HS256', kid: 'old' })
      .setAudience(AUDIENCE)
      .sign(deriveKey(OLD.secret, 'tokens'));
    expect(openingError(signed).code).toBe('not_authentic');
  });

  it.each([
    ['dir', 'A128CBC-HS256'],
    ['A256KW', 'A256GCM'],
    ['A256GCMKW', 'A256GCM'],
  ])('is refused with another algorithm: %s, %s', async (alg, enc) => {
    const sealed = await new EncryptJWT({ at: 'ACCESS' })
      .setProtectedHeader({ alg, enc, kid: 'old' })
      .setAudience(AUDIENCE)
      .encrypt(deriveKey(OLD.secret, 'tokens'));
    expect(openingError(sealed).code).toBe('not_authentic');
  });
});

describe('a sealed text with a right tag', () => {
  const plaintext = Buffer.from(JSON.stringify({ at: 'ACCESS', aud: AUDIENCE }));

  it('opens, as made by hand for these tests', () => {
    expect(accepted([jweByHand(HEADER, plaintext)])).toHaveLength(1);
  });

  it.each<[string, object, Buffer?]>([
    ['another alg', { ...HEADER, alg: 'A256KW' }],
    ['no alg', { enc: 'A256GCM', kid: 'old' }],
    ['alg none', { ...HEADER, alg: 'none' }],
    ['another enc', { ...HEADER, enc: 'A256CBC-HS512' }],
    ['no enc', { alg: 'dir', kid: 'old' }],
    ['zip', { ...HEADER, zip: 'DEF' }, deflateRawSync(plaintext)],
    ['zip that is announced only', { ...HEADER, zip: 'DEF' }],
    ['crit', { ...HEADER, crit: ['exp'], exp: 1 }],
    ['an empty crit', { ...HEADER, crit: [] }],
    ['a header that is a list', ['dir', 'A256GCM', 'old']],
  ])('is refused with %s', (_, header, content = plaintext) => {
    expect(openingError(jweByHand(header, content)).code).toBe('not_authentic');
  });

  it.each<[string, object]>([
    ['a kid that is not in the list', { ...HEADER, kid: 'retired' }],
    ['no kid', { alg: 'dir', enc: 'A256GCM' }],
    ['a kid that is no text', { ...HEADER, kid: ['old'] }],
  ])('is of an unknown key with %s', (_, header) => {
    expect(openingError(jweByHand(header, plaintext)).code).toBe('unknown_key');
  });

  it('is not authentic where the key of that kid is another one', () => {
    const foreign = jweByHand(HEADER, plaintext, deriveKey(NEW.secret, 'tokens'));
    expect(openingError(foreign).code).toBe('not_authentic');
  });

  it.each(['null', '1', '"text"', '{', ''])('is refused with the header %j', (header) => {
    const [, , ...rest] = jweByHand(HEADER, plaintext).split('.');
    const encoded = Buffer.from(header).toString('base64url');
    expect(openingError(`${encoded}..${rest.join('.')}`).code).toBe('not_authentic');
  });
});

describe('a changed sealed text', () => {
  const sealed = sealer.seal('tokens', AUDIENCE, { at: 'ACCESS', rt: 'REFRESH' });
  const positions = Array.from(sealed, (_, position) => position);
  const splice = (position: number, removed: number, inserted: string): string =>
    sealed.slice(0, position) + inserted + sealed.slice(position + removed);

  it('opens unchanged', () => {
    expect(accepted([sealed])).toEqual([sealed]);
  });

  it('is refused whichever character is another one', () => {
    const changed = positions.flatMap((position) =>
      Array.from(`${BASE64URL}.=+/ \n`)
        .filter((character) => character !== sealed[position])
        .map((character) => splice(position, 1, character)),
    );
    expect(changed.length).toBeGreaterThan(60 * sealed.length);
    expect(accepted(changed)).toEqual([]);
  });

  it('is refused whichever character is replaced by one that has the same lowest byte', () => {
    const changed = positions.flatMap((position) =>
      [0x100, 0x2000].map((offset) =>
        splice(position, 1, String.fromCharCode(sealed.charCodeAt(position) + offset)),
      ),
    );
    expect(accepted(changed)).toEqual([]);
  });

  it('is refused whichever character is missing, doubled, or follows one too many', () => {
    const changed = positions.flatMap((position) => [
      splice(position, 1, ''),
      ...['A', '=', ' ', '.', '\n'].map((character) => splice(position, 0, character)),
      splice(position, 0, sealed.charAt(position)),
    ]);
    expect(accepted(changed)).toEqual([]);
    expect(accepted(['=', ' ', '.', '\n', 'A', '\0'].map((end) => sealed + end))).toEqual([]);
  });

  it('is refused wherever it is cut off', () => {
    const cut = positions.map((position) => sealed.slice(0, position));
    expect(cut).toContain('');
    expect(accepted(cut)).toEqual([]);
    expect(accepted(positions.slice(1).map((position) => sealed.slice(position)))).toEqual([]);
  });

  it('is refused with a shorter tag, which AES-GCM itself would take', () => {
    const [header, , iv, ciphertext, tag = ''] = sealed.split('.');
    const cut = [4, 8, 12, 13, 14, 15].map((length) =>
      [
        header,
        '',
        iv,
        ciphertext,
        Buffer.from(tag, 'base64url').subarray(0, length).toString('base64url'),
      ].join('.'),
    );
    expect(accepted(cut)).toEqual([]);
  });

  it('is refused with a part too many, too few, or with an encrypted key', () => {
    const [header, , iv, ciphertext, tag] = sealed.split('.');
    const forms = [
      `${sealed}.`,
      `${sealed}.${String(tag)}`,
      `.${sealed}`,
      [header, iv, ciphertext, tag].join('.'),
      [header, '', iv, ciphertext].join('.'),
      [header, 'AAAA', iv, ciphertext, tag].join('.'),
      '....',
      '',
    ];
    expect(accepted(forms)).toEqual([]);
  });

  it('is refused with its parts mixed with those of another', () => {
    const parts = sealed.split('.');
    const others = sealer.seal('tokens', AUDIENCE, { at: 'ACCESS', rt: 'REFRESH' }).split('.');
    const mixed = [2, 3, 4].map((swapped) =>
      parts.map((part, index) => (index === swapped ? others[index] : part)).join('.'),
    );
    expect(accepted(mixed)).toEqual([]);
  });
});

describe('a sealed text in another place', () => {
  const purposePairs = PURPOSES.flatMap((sealedFor) =>
    PURPOSES.filter((openedFor) => openedFor !== sealedFor).map(
      (openedFor) => [sealedFor, openedFor] as const,
    ),
  );

  it.each(purposePairs)('sealed for %s does not open for %s', (sealedFor, openedFor) => {
    const sealed = sealer.seal(sealedFor, AUDIENCE, { at: 'ACCESS' });
    expect(sealer.open(sealedFor, AUDIENCE, sealed)).toEqual({ at: 'ACCESS', aud: AUDIENCE });
    expect(openingError(sealed, { purpose: openedFor }).code).toBe('not_authentic');
  });

  it.each([`${AUDIENCE}x`, AUDIENCE.slice(0, -1), AUDIENCE.toUpperCase(), `${AUDIENCE} `, ''])(
    'does not open for the audience %j',
    (audience) => {
      const sealed = sealer.seal('tokens', AUDIENCE, { at: 'ACCESS' });
      expect(openingError(sealed, { audience }).code).toBe('not_authentic');
    },
  );
});

describe('when keys are rotated', () => {
  const before = sealerWith(OLD);
  const added = sealerWith(OLD, NEW);
  const promoted = sealerWith(NEW, OLD);
  const retired = sealerWith(NEW);
  const kidOf = (sealed: string): unknown =>
    (JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString()) as { kid: unknown }).kid;

  it.each([
    ['before', before, 'old'],
    ['with the new key added', added, 'old'],
    ['with the new key promoted', promoted, 'new'],
    ['with the old key retired', retired, 'new'],
  ])('the first key seals, %s', (_, by, kid) => {
    expect(kidOf(by.seal('tokens', AUDIENCE, {}))).toBe(kid);
  });

  it.each([
    ['of one step earlier', before, added],
    ['of one step later', added, before],
    ['of one step earlier, once promoted', added, promoted],
    ['of one step later, before it is promoted', promoted, added],
    ['of one step earlier, once retired', promoted, retired],
    ['of the first key, once promoted', before, promoted],
  ])('an instance opens what an instance %s has sealed', (_, by, openedBy) => {
    const sealed = by.seal('session', AUDIENCE, { sub: 'oABC' });
    expect(openedBy.open('session', AUDIENCE, sealed)).toEqual({ sub: 'oABC', aud: AUDIENCE });
  });

  it('what a retired key has sealed is of an unknown key, and says what to do', () => {
    const error = openingError(before.seal('tokens', AUDIENCE, {}), { by: retired });
    expect(error.code).toBe('unknown_key');
    expect(error.message).toContain('WECHAT_AUTH_KEYS');
  });

  it.each([
    ['before', before, added],
    ['under the old key', added, promoted],
    ['under the new key', promoted, added],
  ])('a MAC made %s holds', (_, by, verifiedBy) => {
    expect(verifiedBy.verifyMac('a text', by.mac('a text'))).toBe(true);
  });

  it('a MAC under a retired key does not hold', () => {
    expect(retired.verifyMac('a text', before.mac('a text'))).toBe(false);
  });
});

describe('a MAC', () => {
  const mac = sealer.mac('a text');

  it('is 64 hexadecimal digits, the same each time', () => {
    expect(mac).toMatch(/^[0-9a-f]{64}$/);
    expect(sealer.mac('a text')).toBe(mac);
    expect(sealer.verifyMac('a text', mac)).toBe(true);
  });

  it('does not hold for another text', () => {
    for (const text of ['a texT', 'a text ', 'a tex', '']) expect(sealer.verifyMac(text, mac)).toBe(false);
  });

  it('does not hold with any digit changed', () => {
    const changed = Array.from(mac).flatMap((digit, position) =>
      Array.from('0123456789abcdef')
        .filter((other) => other !== digit)
        .map((other) => mac.slice(0, position) + other + mac.slice(position + 1)),
    );
    expect(changed).toHaveLength(64 * 15);
    expect(changed.filter((text) => sealer.verifyMac('a text', text))).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['its first half', mac.slice(0, 32)],
    ['all but its last digit', mac.slice(0, 63)],
    ['one digit more', `${mac}0`],
    ['something that is no digit behind it', `${mac}zz`],
    ['itself twice', mac + mac],
    ['something that is no digit before it', `zz${mac}`],
  ])('does not hold as %s', (_, given) => {
    expect(sealer.verifyMac('a text', given)).toBe(false);
  });
});

describe('the error of a text that does not open', () => {
  const secrets = { at: 'ACCESS-TOKEN-5f2c', rt: 'REFRESH-TOKEN-91ab' };
  const sealed = sealer.seal('tokens', AUDIENCE, secrets);
  const notJson = jweByHand(HEADER, Buffer.from('ACCESS-TOKEN-5f2c'));

  it.each<[string, () => SealError]>([
    ['another audience', () => openingError(sealed, { audience: 'elsewhere' })],
    ['another purpose', () => openingError(sealed, { purpose: 'session' })],
    ['a damaged tag', () => openingError(`${sealed.slice(0, -2)}AA`)],
    ['an unknown key', () => openingError(sealed, { by: sealerWith(NEW) })],
    ['a content that is not JSON', () => openingError(notJson)],
  ])('holds neither the text nor what is in it nor a key: %s', (_, failure) => {
    const error = failure();
    const text = inspect(error, { depth: null, showHidden: true }) + JSON.stringify(error);
    const [header, , , ciphertext] = sealed.split('.');
    const hidden = [
      ...['ACCESS', 'REFRESH', AUDIENCE, header ?? '', ciphertext ?? ''],
      ...[OLD, NEW].flatMap(({ secret }) => [
        secret.toString('base64'),
        secret.toString('hex'),
        deriveKey(secret, 'tokens').toString('hex'),
      ]),
    ];
    expect(hidden.filter((secret) => text.includes(secret))).toEqual([]);
  });
});

describe('the derived keys', () => {
  it('are 32 bytes each, of no purpose the same, and none is the key itself', () => {
    const derived = [...PURPOSES, 'mac' as const].map((purpose) => deriveKey(OLD.secret, purpose));
    const texts = [OLD.secret, ...derived].map((key) => key.toString('hex'));
    expect(derived.map(({ length }) => length)).toEqual(derived.map(() => 32));
    expect(new Set(texts).size).toBe(texts.length);
  });
});

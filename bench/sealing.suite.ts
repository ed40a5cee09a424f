import { randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { SystemRandomness } from '../src/common/randomness.js';
import { deriveKey, Sealer } from '../src/common/sealer.js';
import { compare, type Suite } from './harness.js';

const AUDIENCE = 'bench';
const CLAIMS = { jti: 'a'.repeat(32), iss: 'wx0123456789abcdef', sub: 'o'.repeat(28), iat: 1, exp: 2 };

/** What a session cookie costs, against jose with an imported key, its fastest way. */
export const sealing: Suite = {
  name: 'sealing',
  async run() {
    const secret = randomBytes(32);
    const sealer = new Sealer([{ kid: 'k1', secret }], new SystemRandomness());
    const key = await crypto.subtle.importKey('raw', deriveKey(secret, 'session'), 'AES-GCM', false, [
      'encrypt',
      'decrypt',
    ]);
    const header = { alg: 'dir', enc: 'A256GCM', kid: 'k1' };
    const plaintext = new TextEncoder().encode(JSON.stringify({ ...CLAIMS, aud: AUDIENCE }));
    const sealed = sealer.seal('session', AUDIENCE, CLAIMS);
    return [
      await compare(
        'sealing',
        'seal/jose',
        () => sealer.seal('session', AUDIENCE, CLAIMS),
        () => new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(key),
      ),
      await compare(
        'sealing',
        'open/jose',
        () => sealer.open('session', AUDIENCE, sealed),
        async () => {
          const opened = await compactDecrypt(sealed, key);
          return JSON.parse(new TextDecoder().decode(opened.plaintext)) as unknown;
        },
      ),
    ];
  },
};

import { randomBytes } from 'node:crypto';
import { sealData, unsealData } from 'iron-session';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { SystemRandomness } from '../src/common/randomness.js';
import { deriveKey, Sealer } from '../src/common/sealer.js';
import { compare, type Suite } from './harness.js';

const AUDIENCE = 'bench';
const CLAIMS = { jti: 'a'.repeat(32), iss: 'wx0123456789abcdef', sub: 'o'.repeat(28), iat: 1, exp: 2 };
/** Every side checks the seal alone; how old a session is, its reader decides. */
const NO_TTL = 0;

/** What sealing a session costs, without the memory of what was opened before. */
export const sealing: Suite = {
  name: 'sealing',
  about: 'a session sealed and opened, against jose (with an imported key, its fastest way) and iron-session',
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
    const iron = { password: secret.toString('hex'), ttl: NO_TTL };
    const sealedByIron = await sealData({ ...CLAIMS, aud: AUDIENCE }, iron);
    const open = (): unknown => sealer.open('session', AUDIENCE, sealed);
    return [
      await compare(
        'sealing',
        'seal/jose',
        () => sealer.seal('session', AUDIENCE, CLAIMS),
        () => new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(key),
      ),
      await compare('sealing', 'open/jose', open, async () => {
        const opened = await compactDecrypt(sealed, key);
        return JSON.parse(new TextDecoder().decode(opened.plaintext)) as unknown;
      }),
      await compare('sealing', 'open/iron-session', open, () => unsealData(sealedByIron, iron)),
    ];
  },
};

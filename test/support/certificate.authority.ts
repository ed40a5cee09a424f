import { generate } from 'selfsigned';

/** A private key and its certificate, both PEM. */
export interface Certified {
  key: string;
  cert: string;
}

/** The names that the clients know WeChat by, and those of this machine. */
export const WECHAT_NAMES: readonly string[] = ['open.weixin.qq.com', 'api.weixin.qq.com', 'localhost'];

/** A certificate authority that nobody trusts who is not told to. */
export async function createAuthority(): Promise<Certified> {
  const { private: key, cert } = await generate(
    [{ name: 'commonName', value: 'An authority of these tests' }],
    {
      keyType: 'ec',
      algorithm: 'sha256',
      extensions: [
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true, critical: true },
      ],
    },
  );
  return { key, cert };
}

/** A certificate of the authority for a server that goes by these names, or is called at 127.0.0.1. */
export async function certify(
  authority: Certified,
  names: readonly string[] = WECHAT_NAMES,
): Promise<Certified> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: names[0] }], {
    keyType: 'ec',
    algorithm: 'sha256',
    ca: authority,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [...names.map((value) => ({ type: 2 as const, value })), { type: 7, ip: '127.0.0.1' }],
      },
    ],
  });
  return { key, cert };
}

import { callsOf, startForeignClient, stopForeignClients } from './foreign.harness.js';

afterEach(stopForeignClients);

const REFUSAL = {
  code: 'NOT_WECHAT',
  message: expect.stringContaining('open.weixin.qq.com and api.weixin.qq.com at port 443 only') as string,
};

describe('the process of a client that others wrote', () => {
  it.each(['request', 'fetch'])('reaches the emulator under the names of WeChat by %s', async (means) => {
    const { wechat, client } = await startForeignClient('any-address');

    await expect(client.ask(means, 'https://api.weixin.qq.com/sns/auth')).resolves.toBe(200);
    await expect(client.ask(means, 'https://open.weixin.qq.com/')).resolves.toBe(200);
    expect(wechat.requests.map(({ path }) => path)).toEqual(['/sns/auth', '/']);
  });

  it('reaches no other name, no other port and no other address', async () => {
    const { wechat, client } = await startForeignClient('any-address');

    for (const address of [
      'https://mp.weixin.qq.com/',
      'https://api.weixin.qq.com.example.org/',
      'http://api.weixin.qq.com/sns/auth',
      'https://api.weixin.qq.com:8443/sns/auth',
      wechat.url,
    ]) {
      const refusal = { ...REFUSAL, message: expect.stringContaining(new URL(address).hostname) as string };
      await expect(client.ask('request', address)).rejects.toMatchObject(refusal);
      await expect(client.ask('fetch', address)).rejects.toMatchObject(refusal);
    }
    await expect(client.ask('connect', 443, 'example.org')).rejects.toMatchObject(REFUSAL);
    await expect(client.ask('connect', Number(new URL(wechat.url).port))).rejects.toMatchObject(REFUSAL);
    expect(wechat.requests).toEqual([]);
  });

  it('looks up no other name, by whatever function', async () => {
    const { client } = await startForeignClient('any-address');

    for (const means of ['lookup', 'lookupPromised', 'resolve4', 'resolveAny', 'resolverTxt', 'resolverMx']) {
      const refusal = { ...REFUSAL, message: expect.stringContaining('mp.weixin.qq.com') as string };
      await expect(client.ask(means, 'mp.weixin.qq.com')).rejects.toMatchObject(refusal);
    }
    for (const name of ['api.weixin.qq.com', '127.0.0.1']) {
      const address = { address: '127.0.0.1', family: 4 };
      expect([await client.ask('lookup', name), await client.ask('lookupPromised', name)]).toEqual([
        address,
        address,
      ]);
    }
  });

  it.each(['send', 'sendAnyway', 'connectUdp'])('says nothing over UDP by %s', async (means) => {
    const { client } = await startForeignClient('any-address');

    await expect(client.ask(means, 53, '127.0.0.1')).rejects.toMatchObject(REFUSAL);
  });

  it('is held back in its worker threads as well', async () => {
    const { wechat, client } = await startForeignClient('any-address');

    await expect(client.ask('requestOfWorker', 'https://api.weixin.qq.com/sns/auth')).resolves.toBe(200);
    await expect(client.ask('requestOfWorker', wechat.url)).rejects.toMatchObject(REFUSAL);
  });

  it('refuses the emulator while it has not been told of the authority', async () => {
    const { wechat, client } = await startForeignClient('wechat-oauth', { trusts: false });

    await expect(client.ask('getAccessToken', 'x')).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    expect(callsOf(wechat)).toEqual([]);
  });

  it('refuses a certificate that names another server', async () => {
    const { wechat, client } = await startForeignClient('wechat-oauth', { certifiedFor: ['example.org'] });

    await expect(client.ask('getAccessToken', 'x')).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(callsOf(wechat)).toEqual([]);
  });
});

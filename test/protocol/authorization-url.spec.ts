import { WechatConfigurationError, WechatError } from '../../src/common/errors.js';
import { WechatClient } from '../../src/protocol/wechat.client.js';

const shop = { appId: 'wxaaaaaaaaaaaaaaaa', appSecret: 'a'.repeat(32) };
const blog = { appId: 'wxbbbbbbbbbbbbbbbb', appSecret: 'b'.repeat(32) };

function clientOf(accounts = [shop], openBaseUrl = 'https://open.weixin.qq.com'): WechatClient {
  return new WechatClient({
    accounts,
    openBaseUrl,
    apiBaseUrl: 'https://api.weixin.qq.com',
    requestTimeoutMs: 5_000,
  });
}

const request = {
  redirectUri: 'https://shop.example.com/wechat/callback?t=a+b&c=%20',
  scope: 'userinfo',
  state: 'Abc123',
} as const;

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof WechatError) return error.code;
    throw error;
  }
  return 'no error';
}

describe('the address that starts a sign-in', () => {
  it('carries the documented parameters in the documented order', () => {
    expect(clientOf().buildAuthorizationUrl(request)).toBe(
      'https://open.weixin.qq.com/connect/oauth2/authorize?appid=wxaaaaaaaaaaaaaaaa' +
        '&redirect_uri=https%3A%2F%2Fshop.example.com%2Fwechat%2Fcallback%3Ft%3Da%2Bb%26c%3D%2520' +
        '&response_type=code&scope=snsapi_userinfo&state=Abc123#wechat_redirect',
    );
  });

  it('asks for snsapi_base when the base scope is wanted', () => {
    expect(clientOf().buildAuthorizationUrl({ ...request, scope: 'base' })).toContain('&scope=snsapi_base&');
  });

  it('puts forcePopup after the state, and only when it is asked for', () => {
    const client = clientOf();
    expect(client.buildAuthorizationUrl({ ...request, forcePopup: true })).toMatch(
      /&state=Abc123&forcePopup=true#wechat_redirect$/,
    );
    expect(client.buildAuthorizationUrl({ ...request, forcePopup: false })).toMatch(
      /&state=Abc123#wechat_redirect$/,
    );
  });

  it('keeps a path and drops a closing slash of the base URL', () => {
    expect(clientOf([shop], 'http://127.0.0.1:4000/open/').buildAuthorizationUrl(request)).toMatch(
      /^http:\/\/127\.0\.0\.1:4000\/open\/connect\/oauth2\/authorize\?appid=/,
    );
  });

  it.each(['', 'with-hyphen', 'under_score', 'a b', '状态', 'abc\n', 'a'.repeat(129)])(
    'refuses the state %j, which WeChat would not carry',
    (state) => {
      expect(codeOf(() => clientOf().buildAuthorizationUrl({ ...request, state }))).toBe('invalid_state');
    },
  );

  it('takes a state of 128 characters', () => {
    const state = 'aZ09'.repeat(32);
    expect(clientOf().buildAuthorizationUrl({ ...request, state })).toContain(`&state=${state}#`);
  });

  it.each(['/wechat/callback', 'shop.example.com/callback', 'javascript:alert(1)', 'https://', ''])(
    'refuses the redirect URI %j, which is not an absolute web address',
    (redirectUri) => {
      expect(codeOf(() => clientOf().buildAuthorizationUrl({ ...request, redirectUri }))).toBe(
        'invalid_redirect_uri',
      );
    },
  );
});

describe('the choice of the account', () => {
  it('takes the only account where none is named', () => {
    expect(clientOf([blog]).buildAuthorizationUrl(request)).toContain('?appid=wxbbbbbbbbbbbbbbbb&');
  });

  it('takes the named one of several', () => {
    expect(clientOf([shop, blog]).buildAuthorizationUrl({ ...request, appId: blog.appId })).toContain(
      '?appid=wxbbbbbbbbbbbbbbbb&',
    );
  });

  it('says which accounts there are where one of several has to be named', () => {
    const act = () => clientOf([shop, blog]).buildAuthorizationUrl(request);
    expect(act).toThrow(/wxaaaaaaaaaaaaaaaa, wxbbbbbbbbbbbbbbbb.*pass appId/);
    expect(codeOf(act)).toBe('app_id_required');
  });

  it('says which accounts there are where an unknown one is named', () => {
    const act = () => clientOf().buildAuthorizationUrl({ ...request, appId: 'wxcccccccccccccccc' });
    expect(act).toThrow(/No WeChat account wxcccccccccccccccc is set, only wxaaaaaaaaaaaaaaaa/);
    expect(codeOf(act)).toBe('unknown_app_id');
  });

  it('fails a call for an unknown account as a rejection, like any other failure of a call', async () => {
    const client = clientOf();
    await expect(client.authorizationCodeGrant({ appId: 'wx0', code: 'c' })).rejects.toMatchObject({
      code: 'unknown_app_id',
    });
    await expect(client.refreshTokenGrant({ appId: 'wx0', refreshToken: 'r' })).rejects.toMatchObject({
      code: 'unknown_app_id',
    });
  });
});

describe('a client that cannot work', () => {
  it('is not made without an account, and names the variables to set', () => {
    expect(() => clientOf([])).toThrow(WechatConfigurationError);
    expect(() => clientOf([])).toThrow(/Set WECHAT_APP_ID and WECHAT_APP_SECRET/);
  });

  it.each(['open.weixin.qq.com', 'ftp://open.weixin.qq.com', ''])(
    'is not made with the base URL %j, and names the variable',
    (baseUrl) => {
      expect(() => clientOf([shop], baseUrl)).toThrow(/WECHAT_OPEN_BASE_URL/);
      expect(
        () =>
          new WechatClient({
            accounts: [shop],
            openBaseUrl: 'https://open.weixin.qq.com',
            apiBaseUrl: baseUrl,
            requestTimeoutMs: 1,
          }),
      ).toThrow(/WECHAT_API_BASE_URL/);
    },
  );
});

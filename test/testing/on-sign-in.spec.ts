import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WechatAuthorizationError, type WechatSignInContext, type WechatUser } from '../../src/index.js';
import { signInWechatUser } from '../../src/testing/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

describe('the hook onSignIn, when a test signs a user in', () => {
  let world: TestWorld;
  let site: TestInstance;
  let calls: [WechatUser, WechatSignInContext][];
  let onSignIn: () => void;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      module: {
        onSignIn: async (user, context) => {
          calls.push([user, context]);
          await Promise.resolve();
          onSignIn();
        },
      },
    });
  });
  beforeEach(() => {
    calls = [];
    onSignIn = () => undefined;
  });
  afterAll(() => world.close());

  it('is called with the user, and told whether it is the first time', async () => {
    const { user } = await signInWechatUser(site.app, { userInfo: { nickname: '小满' } });
    const again = await signInWechatUser(site.app, { openid: user.openid });
    expect(calls).toEqual([
      [user, { isNewGrant: true, request: undefined }],
      [again.user, { isNewGrant: false, request: undefined }],
    ]);
    expect(again.user).not.toHaveProperty('userInfo');
  });

  it('gets the request that the test makes up for it', async () => {
    const request = { cookies: { invitedBy: 'oFriend' } };
    await signInWechatUser(site.app, { request });
    expect(calls[0]?.[1].request).toBe(request);
  });

  it('is left out if the test says so, and the user is as good as signed in', async () => {
    const { user, cookie } = await signInWechatUser(site.app, { callOnSignIn: false });
    expect(calls).toEqual([]);
    expect((await new Visitor({ cookie }).fetch(`${site.url}/hello`)).status).toBe(200);
    await signInWechatUser(site.app, { openid: user.openid });
    expect(calls[0]?.[1].isNewGrant).toBe(false);
  });

  it('is not called for a snapshot page', async () => {
    await signInWechatUser(site.app, { snapshot: true });
    expect(calls).toEqual([]);
  });

  it('fails the sign-in by throwing, as it would in production: no session, the grant kept', async () => {
    const cause = new Error('the accounts table says no');
    onSignIn = () => {
      throw cause;
    };
    const failed = await signInWechatUser(site.app, { openid: 'oRejected' }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(WechatAuthorizationError);
    expect(failed).toMatchObject({ code: 'sign_in_rejected', cause });
    expect(
      await world.query('SELECT signed_in_at FROM wechat_grant WHERE openid = $1', ['oRejected']),
    ).toEqual([{ signed_in_at: null }]);
    onSignIn = () => undefined;
    await signInWechatUser(site.app, { openid: 'oRejected' });
    expect(calls.map(([, { isNewGrant }]) => isNewGrant)).toEqual([true, true]);
  });
});

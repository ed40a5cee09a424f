import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { WechatAuthModule, WechatError } from '../../src/index.js';
import { type SignInWechatUserOptions, signInWechatUser } from '../../src/testing/index.js';
import { TEST_KEY, type TestInstance, TestWorld } from '../support/test-app.js';

const DAY_MS = 24 * 60 * 60 * 1000;

@Module({})
class WithoutWechat {}

describe('a test that signs a user in the wrong way is told what to do instead', () => {
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ module: { publicUrl: 'https://a.example.com,https://b.example.com/shop' } });
  });
  afterAll(() => world.close());

  async function complaintOf(signIn: Promise<unknown>): Promise<string> {
    const error = await signIn.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WechatError);
    expect(error).toMatchObject({ code: 'invalid_argument' });
    return (error as Error).message;
  }

  it.each<[string, SignInWechatUserOptions, RegExp]>([
    ['an account that is not there', { appId: 'wxffffffffffffffff' }, /Configured: wx5e1f0c7a9b3d2468\./],
    [
      'a public URL that is not there',
      { publicUrl: 'https://c.example.com' },
      /There: https:\/\/a\.example\.com, https:\/\/b\.example\.com\/shop\./,
    ],
    ['a public URL that is none', { publicUrl: 'b.example.com' }, /There: https:\/\/a\.example\.com/],
    ['a profile without a consent', { scope: 'base', userInfo: {} }, /add `consent: 'live'`/],
    ['a profile on a snapshot page', { snapshot: true, userInfo: {} }, /Leave out `userInfo`/],
    [
      'a consent on a snapshot page',
      { snapshot: true, consent: 'live' },
      /Leave out `userInfo` and `consent`/,
    ],
    [
      'a consent of more than 30 days',
      { consent: { expiresAt: new Date(Date.now() + 31 * DAY_MS) } },
      /`consent\.expiresAt` is not a date up to 20/,
    ],
    [
      'a date that is none',
      { session: { expiresAt: new Date('soon') } },
      /`session\.expiresAt` is not a date/,
    ],
  ])('%s', async (_, options, cure) => {
    expect(await complaintOf(signInWechatUser(site.app, options))).toMatch(cure);
    expect(await world.query('SELECT 1 FROM wechat_grant')).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ['no object', null, /the options are not an object\. Leave them out/],
    ['a list', [], /the options are not an object/],
    [
      'a part of the profile beside it',
      { nickname: 'x' },
      /`nickname` is not an option\. .* write \{ userInfo: \{ nickname \} \}/,
    ],
    ['a name that is no option', { openId: 'oX' }, /`openId` is not an option\. There are: appId, openid, /],
    ['a name that every object has', { toString: 'x' }, /`toString` is not an option/],
    [
      'a scope in the words of WeChat',
      { scope: 'snapsi_userinfo' },
      /`scope` is wrong\. .* 'base' or 'userinfo'/,
    ],
    ['an empty openid', { openid: '' }, /`openid` is wrong\. .* a text of 1 to 128 characters/],
    ['an openid that is a number', { openid: 7 }, /`openid` is wrong/],
    ['an openid that is null', { openid: null }, /`openid` is wrong/],
    ['a long openid', { openid: 'o'.repeat(129) }, /`openid` is wrong/],
    ['an openid with NUL in it', { openid: 'o\0' }, /`openid` is wrong/],
    ['an empty unionid', { unionid: '' }, /`unionid` is wrong/],
    ['a profile that is a text', { userInfo: '小满' }, /`userInfo` is wrong\. .* an object or null/],
    [
      'a nickname that is a number',
      { userInfo: { nickname: 7 } },
      /`userInfo\.nickname` is wrong\. .* a text/,
    ],
    ['a sex in words', { userInfo: { sex: '1' } }, /`userInfo\.sex` is wrong\. .* a number/],
    ['privileges in one text', { userInfo: { privilege: 'x' } }, /`userInfo\.privilege` is wrong/],
    [
      'an unknown part of the profile',
      { userInfo: { name: 'x' } },
      /`userInfo\.name` is not an option\. .*userInfo\.nickname/,
    ],
    ['a consent of null', { consent: null }, /`consent` is wrong\. .* 'live', 'ended' or/],
    ['a date in words', { session: { expiresAt: '2030-01-01' } }, /`session` is wrong/],
    ['a flag in words', { snapshot: 'no' }, /`snapshot` is wrong\. .* true or false/],
  ])('%s, where no compiler says so', async (_, options, cure) => {
    expect(await complaintOf(signInWechatUser(site.app, options as SignInWechatUserOptions))).toMatch(cure);
    expect(await world.query('SELECT 1 FROM wechat_grant')).toEqual([]);
  });

  it('but not over what is undefined, nor over a profile of an earlier sign-in', async () => {
    const options = { openid: undefined, nickname: undefined, userInfo: { nickname: undefined } };
    const { user } = await signInWechatUser(site.app, options);
    expect(user.userInfo).toMatchObject({ openid: user.openid, nickname: '测试用户' });
    const { user: next } = await signInWechatUser(site.app, { userInfo: user.userInfo });
    expect(next.userInfo).toEqual({ ...user.userInfo, openid: next.openid });
    await world.query('DELETE FROM wechat_grant');
  });

  it('an application without the module', async () => {
    const app = (
      await Test.createTestingModule({ imports: [WithoutWechat] }).compile()
    ).createNestApplication();
    await app.init();
    expect(await complaintOf(signInWechatUser(app))).toMatch(/Import WechatAuthModule\.forRoot\(\)/);
    await app.close();
  });

  it('an application without the module that NestFactory made, which ends its process over less', async () => {
    const app = await NestFactory.create(WithoutWechat, { logger: false });
    await app.init();
    expect(await complaintOf(signInWechatUser(app))).toMatch(/Import WechatAuthModule\.forRoot\(\)/);
    await app.close();
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an object', {}],
    ['the class of a module', WithoutWechat],
  ])('%s in the place of an application', async (_, app) => {
    expect(await complaintOf(signInWechatUser(app as INestApplication))).toMatch(
      /the first argument is no Nest application\. Give what app\.init\(\) was called on\./,
    );
  });

  it('an application that is closed', async () => {
    const { app } = await world.start();
    await app.close();
    expect(await complaintOf(signInWechatUser(app))).toMatch(/is closed\. Sign in before `app\.close\(\)`/);
  });

  it('an application that is not initialised', async () => {
    const { appId, appSecret } = world.wechat.apps[0]!;
    @Module({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: world.database.url, autoLoadEntities: true }),
        WechatAuthModule.forRoot({ appId, appSecret, publicUrl: 'http://localhost:3000', keys: TEST_KEY }),
      ],
    })
    class HostModule {}
    const testing = await Test.createTestingModule({ imports: [HostModule] }).compile();
    const app = testing.createNestApplication({ logger: false });
    expect(await complaintOf(signInWechatUser(app))).toMatch(/Call `await app\.init\(\)`/);
    await app.init();
    expect((await signInWechatUser(app)).cookies).toHaveLength(1);
    await app.close();
  });
});

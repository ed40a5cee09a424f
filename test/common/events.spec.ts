import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import type { WechatAuthEvents } from '../../src/index.js';
import { grant, HOUR_MS, serviceOf } from '../refresh/refresh.harness.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

@Injectable()
class Listener {
  readonly heard: unknown[] = [];

  @OnEvent('wechat.signed-in')
  onSignedIn(event: WechatAuthEvents['wechat.signed-in']): void {
    this.heard.push(event);
  }

  @OnEvent('wechat.refreshed')
  onRefreshed(event: WechatAuthEvents['wechat.refreshed']): void {
    this.heard.push(event);
  }

  @OnEvent('wechat.account-misconfigured')
  onMisconfigured(event: WechatAuthEvents['wechat.account-misconfigured']): void {
    this.heard.push(event);
    throw new Error('the letter could not be sent');
  }
}

@Module({ imports: [EventEmitterModule.forRoot()], providers: [Listener] })
class ListenerModule {}

describe('events, by the event emitter of Nest', () => {
  let world: TestWorld;
  let site: TestInstance;
  let heard: unknown[];

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ imports: [ListenerModule] });
    ({ heard } = site.app.get(Listener, { strict: false }));
  });
  afterAll(() => world.close());

  it('reach those who listen, and one who fails keeps nobody from working', async () => {
    await new Visitor().open(`${site.url}/hello`);
    const [first, second] = world.wechat.users;
    const appId = world.wechat.apps[0]?.appId;
    expect(heard).toMatchObject([{ appId, openid: first?.openid, scope: 'base', isNewGrant: true }]);

    heard.length = 0;
    await grant(world, site, second?.openid ?? '');
    world.clock.advance(2 * HOUR_MS);
    await world.wechat.failNext('refresh', { errcode: 40013 });
    expect(await serviceOf(site).refreshDue()).toEqual({ refreshed: 0, failed: 1 });
    world.clock.advance(HOUR_MS);
    expect(await serviceOf(site).refreshDue()).toEqual({ refreshed: 1, failed: 0 });
    expect(heard).toMatchObject([
      { appId, errcode: 40013 },
      { appId, openid: second?.openid, accessTokenExpiresAt: expect.any(Date) },
    ]);
  });
});

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { DataSource } from 'typeorm';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { MetricsSdk } from './metrics.harness.js';

const APPS = [
  { appId: 'wxaaaaaaaaaaaaaaaa', appSecret: 'a'.repeat(32), redirectDomains: ['127.0.0.1'] },
  { appId: 'wxbbbbbbbbbbbbbbbb', appSecret: 'b'.repeat(32), redirectDomains: ['127.0.0.1'] },
];

describe('the metrics of two applications in one process', () => {
  let sdk: MetricsSdk;
  let world: TestWorld;
  let sites: [TestInstance, TestInstance];

  beforeAll(async () => {
    sdk = new MetricsSdk();
    world = await TestWorld.create({ apps: APPS });
    sites = [
      await world.start({ module: { appId: 'wxaaaaaaaaaaaaaaaa', appSecret: 'a'.repeat(32) } }),
      await world.start({ module: { appId: 'wxbbbbbbbbbbbbbbbb', appSecret: 'b'.repeat(32) } }),
    ];
  });
  afterAll(async () => {
    await world.close();
    await sdk.close();
  });

  function alive(appId: string): Promise<unknown> {
    return sdk.value('wechat_auth.grants', {
      'wechat.app_id': appId,
      'wechat.consent.state': 'none',
      'wechat.pair.state': 'alive',
    });
  }

  it('stand side by side, and end one without the other', async () => {
    const [first, second] = sites;
    await new Visitor().open(`${first.url}/hello`);
    expect([await alive('wxaaaaaaaaaaaaaaaa'), await alive('wxbbbbbbbbbbbbbbbb')]).toEqual([1, 0]);

    const dataSource = first.app.get(DataSource);
    await first.app.close();
    const queries = jest.spyOn(dataSource, 'createQueryRunner');
    await new Visitor().open(`${second.url}/hello`);
    world.clock.advance(5 * 60_000 + 1);
    expect(await alive('wxbbbbbbbbbbbbbbbb')).toBe(1);
    expect(queries).not.toHaveBeenCalled();
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

const APPS = [
  { appId: 'wxaaaaaaaaaaaaaaaa', appSecret: 'a'.repeat(32), redirectDomains: ['127.0.0.1'] },
  { appId: 'wxbbbbbbbbbbbbbbbb', appSecret: 'b'.repeat(32), redirectDomains: ['127.0.0.1'] },
];

describe.each([
  ['express', 'express'],
  ['fastify', 'fastify'],
  ['express', 'fastify'],
] as const)(
  'two Nest applications in one process, each with a WeChat account of its own, on %s and %s',
  (...platforms) => {
    let world: TestWorld;
    let sites: TestInstance[];

    beforeAll(async () => {
      world = await TestWorld.create({ apps: APPS });
      sites = [
        await world.start({
          platform: platforms[0],
          module: { appId: 'wxaaaaaaaaaaaaaaaa', appSecret: 'a'.repeat(32) },
        }),
        await world.start({
          platform: platforms[1],
          module: { appId: 'wxbbbbbbbbbbbbbbbb', appSecret: 'b'.repeat(32), path: '/auth/weixin' },
        }),
      ];
    });
    afterAll(() => world.close());

    it('signs users in to the account of the application they came to', async () => {
      const visitor = new Visitor();
      const seen: unknown[] = [];
      for (const { url } of [...sites, ...sites]) {
        seen.push((JSON.parse((await visitor.open(`${url}/hello`)).body) as { appId: string }).appId);
      }
      expect(seen).toEqual([APPS[0], APPS[1], APPS[0], APPS[1]].map((app) => app?.appId));
    });

    it('keeps each application on its own path', async () => {
      const [first, second] = sites;
      const statusOf = async (url: string): Promise<number> => (await new Visitor().open(url)).status;
      expect(await statusOf(`${first?.url ?? ''}/wechat/consent`)).toBe(200);
      expect(await statusOf(`${second?.url ?? ''}/auth/weixin/consent`)).toBe(200);
      expect(await statusOf(`${second?.url ?? ''}/wechat/consent`)).toBe(404);
    });
  },
);

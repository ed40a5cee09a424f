import { afterEach, describe, expect, it } from '@jest/globals';
import { type ArgumentsHost, Catch, Controller, type ExceptionFilter, Get, Module } from '@nestjs/common';
import { APP_GUARD, BaseExceptionFilter } from '@nestjs/core';
import { WechatAuthGuard, WechatPublic } from '../../src/index.js';
import { TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

@Controller('plain')
class UndecoratedController {
  @Get()
  plain(): string {
    return 'for those who are known';
  }

  @Get('open')
  @WechatPublic()
  open(): string {
    return 'for everybody';
  }
}

@Module({
  providers: [{ provide: APP_GUARD, useClass: WechatAuthGuard }],
  controllers: [UndecoratedController],
})
class GloballyGuardedModule {}

@Catch()
class CatchAllFilter extends BaseExceptionFilter implements ExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    super.catch(exception, host);
  }
}

describe.each(['express', 'fastify'] as const)('the guard as a global guard, on %s', (platform) => {
  let world: TestWorld;

  afterEach(() => world.close());

  it('signs the visitor of an undecorated route in, and leaves public routes alone', async () => {
    world = await TestWorld.create();
    const { url } = await world.start({ platform, imports: [GloballyGuardedModule] });
    const visitor = new Visitor();
    const open = await visitor.open(`${url}/plain/open`);
    expect([open.body, open.trail]).toEqual(['for everybody', [`${url}/plain/open`]]);
    expect((await new Visitor().fetch(`${url}/plain`)).status).toBe(401);
    const plain = await visitor.open(`${url}/plain`);
    expect([plain.status, plain.body]).toEqual([200, 'for those who are known']);
  });

  it('shows its pages as pages', async () => {
    world = await TestWorld.create();
    const { url } = await world.start({
      platform,
      imports: [GloballyGuardedModule],
      module: { outsideWechat: 'open-in-wechat' },
    });
    const visit = await new Visitor().open(`${url}/plain`);
    expect([visit.status, visit.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8']);
    expect(visit.body).toContain('请在微信中打开');
  });

  it("still redirects through a filter of the host's that catches everything", async () => {
    world = await TestWorld.create();
    const { url } = await world.start({
      platform,
      imports: [GloballyGuardedModule],
      configure: (app) => {
        app.useGlobalFilters(new CatchAllFilter(app.getHttpAdapter()));
      },
    });
    const visit = await new Visitor().open(`${url}/plain`);
    expect([visit.status, visit.body]).toEqual([200, 'for those who are known']);
  });
});

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpException,
  Module,
  Scope,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { AbstractLogger, DataSource } from 'typeorm';
import {
  CurrentWechatUser,
  WechatAuth,
  WechatAuthGuard,
  WechatPublic,
  type WechatUser,
} from '../../src/index.js';
import { PLATFORMS, TestWorld, type TestWorldOptions } from '../support/test-app.js';
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

@Controller('thrice')
@WechatAuth('userinfo')
class GuardedThriceController {
  @Get()
  @WechatAuth('userinfo')
  thrice(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }
}

@Module({
  providers: [{ provide: APP_GUARD, useClass: WechatAuthGuard }],
  controllers: [UndecoratedController, GuardedThriceController],
})
class GloballyGuardedModule {}

@Module({
  providers: [{ provide: APP_GUARD, useClass: WechatAuthGuard, scope: Scope.REQUEST }],
  controllers: [GuardedThriceController],
})
class GuardedPerRequestModule {}

@Catch()
class CatchAllFilter extends BaseExceptionFilter implements ExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost): void {
    super.catch(exception, host);
  }
}

/** The filter that many hosts have: it answers everything in one form of its own. */
@Catch()
class JsonFilter implements ExceptionFilter {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    const response: unknown = host.switchToHttp().getResponse();
    this.adapterHost.httpAdapter.reply(response, { error: status }, status);
  }
}

@Module({ providers: [{ provide: APP_FILTER, useClass: JsonFilter }] })
class JsonFilterModule {}

/** Notes what is asked of the database. */
class QueryNotes extends AbstractLogger {
  readonly queries: string[] = [];

  override logQuery(query: string): void {
    this.queries.push(query);
  }

  protected override writeLog(): void {}
}

describe.each(PLATFORMS)('the guard as a global guard, on %s', (platform) => {
  let world: TestWorld;

  beforeEach(async () => {
    world = await TestWorld.create();
  });
  afterEach(() => world.close());

  it('signs the visitor of an undecorated route in, and leaves public routes alone', async () => {
    const { url } = await world.start({ platform, imports: [GloballyGuardedModule] });
    const visitor = new Visitor();
    const open = await visitor.open(`${url}/plain/open`);
    expect([open.body, open.trail]).toEqual(['for everybody', [`${url}/plain/open`]]);
    expect((await new Visitor().fetch(`${url}/plain`)).status).toBe(401);
    const plain = await visitor.open(`${url}/plain`);
    expect([plain.status, plain.body]).toEqual([200, 'for those who are known']);
  });

  it('has nothing to say about an address that does not exist', async () => {
    const { url } = await world.start({ platform, imports: [GloballyGuardedModule] });
    expect((await new Visitor().open(`${url}/nowhere`)).status).toBe(404);
  });

  it('shows its pages as pages', async () => {
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

  it.each<[string, Partial<TestWorldOptions>]>([
    ['a provider', { imports: [GloballyGuardedModule, JsonFilterModule] }],
    [
      'a call in main.ts',
      {
        imports: [GloballyGuardedModule],
        configure: (app) => {
          app.useGlobalFilters(new JsonFilter(app.get(HttpAdapterHost)));
        },
      },
    ],
  ])(
    "answers in its own form past a filter of the host's that answers everything (%s)",
    async (_how, options) => {
      const { url } = await world.start({
        platform,
        module: { outsideWechat: 'open-in-wechat' },
        ...options,
      });
      const page = await new Visitor().open(`${url}/plain`);
      expect([page.status, page.headers['content-type']]).toEqual([403, 'text/html; charset=utf-8']);
      expect(page.body).toContain('请在微信中打开');
      const problem = await new Visitor().fetch(`${url}/plain`);
      expect(problem.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(JSON.parse(problem.body)).toMatchObject({
        code: 'sign_in_required',
        signInUrl: `${url}/wechat/sign-in?scope=base`,
      });
      // Everything else is still the host's.
      expect((await new Visitor().fetch(`${url}/nowhere`)).body).toBe('{"error":404}');
    },
  );

  it.each([
    ['on class and handler as well', GloballyGuardedModule],
    ['made anew for every request', GuardedPerRequestModule],
  ])('decides once per request, even if it is %s', async (_how, module) => {
    const { app, url } = await world.start({ platform, imports: [module] });
    const visitor = new Visitor();
    await visitor.answerConsent(await visitor.press(await visitor.open(`${url}/thrice`)), 'allow');
    const notes = new QueryNotes();
    app.get(DataSource).logger = notes;
    const visit = await visitor.fetch(`${url}/thrice`);
    expect(JSON.parse(visit.body)).toMatchObject({ scope: 'userinfo' });
    expect(notes.queries).toHaveLength(1);
    expect(notes.queries[0]).toMatch(/^SELECT .* FROM "wechat_grant"/);
  });
});

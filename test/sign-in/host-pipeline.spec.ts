import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  type MessageEvent,
  Module,
  type NestInterceptor,
  Redirect,
  Req,
  RequestTimeoutException,
  Res,
  Scope,
  Sse,
  StreamableFile,
  Version,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { map, Observable, of, race, Subject } from 'rxjs';
import { CurrentWechatUser, WechatAuth, type WechatUser } from '../../src/index.js';
import type { WechatRequest } from '../../src/sign-in/wechat-auth.guard.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

@Controller('answers')
@WechatAuth()
class AnswersController {
  @Get('res')
  res(@Req() { wechatUser }: WechatRequest, @Res() response: { send(body: string): void }): void {
    response.send(`by hand for ${wechatUser?.openid ?? 'nobody'}`);
  }

  @Get('redirect')
  @Redirect('/public', 307)
  redirect(): void {}

  @Get('file')
  file(): StreamableFile {
    return new StreamableFile(Buffer.from('a file'));
  }
}

@Controller('events')
class EventsController {
  @Sse()
  @WechatAuth()
  events(@CurrentWechatUser() user: WechatUser): Observable<MessageEvent> {
    return of({ data: { openid: user.openid } }, { data: 'bye', type: 'end' });
  }
}

@Injectable({ scope: Scope.REQUEST })
class Basket {
  constructor(@Inject(REQUEST) private readonly request: WechatRequest) {}

  get owner(): string | undefined {
    return this.request.wechatUser?.openid;
  }
}

@Controller('basket')
class BasketController {
  constructor(private readonly basket: Basket) {}

  @Get()
  @WechatAuth()
  show(@CurrentWechatUser() user: WechatUser): { user: string; owner: string | undefined } {
    return { user: user.openid, owner: this.basket.owner };
  }
}

@Controller('versions')
class VersionedController {
  @Get()
  @Version('1')
  @WechatAuth('base', { optional: true })
  first(): { version: number } {
    return { version: 1 };
  }

  @Get()
  @Version('2')
  @WechatAuth('base')
  second(): { version: number } {
    return { version: 2 };
  }
}

/** As many hosts have it: every answer in an envelope. */
@Injectable()
class EnvelopeInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    return next.handle().pipe(map((data) => (data instanceof StreamableFile ? data : { data })));
  }
}

/** As many hosts have it too, but with its time-out pressed by hand. */
@Injectable()
class TimeoutInterceptor implements NestInterceptor {
  readonly timeout = new Subject<void>();

  intercept(_context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const timeout = this.timeout.pipe(
      map(() => {
        throw new RequestTimeoutException();
      }),
    );
    return race(next.handle(), timeout);
  }
}

@Module({
  controllers: [AnswersController, EventsController, BasketController, VersionedController],
  providers: [Basket],
})
class HostModule {}

const EVENT_SOURCE = {
  accept: 'text/event-stream',
  'cache-control': 'no-cache',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
};

describe.each(PLATFORMS)("with the host's own parts around it, on %s", (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let visitor: Visitor;
  let openid: string | undefined;

  beforeAll(async () => {
    world = await TestWorld.create();
    openid = world.wechat.users[0]?.openid;
  });
  afterAll(() => world.close());

  describe('handlers of every kind', () => {
    beforeAll(async () => {
      site = await world.start({
        platform,
        imports: [HostModule],
        configure: (app) => {
          app.enableVersioning({
            type: VersioningType.HEADER,
            header: 'api-version',
            defaultVersion: VERSION_NEUTRAL,
          });
        },
      });
    });
    beforeEach(async () => {
      world.clock.advance(60_000);
      visitor = new Visitor();
    });

    it.each(['res', 'redirect', 'file'])(
      'waits for the sign-in before a handler writes by itself (%s)',
      async (path) => {
        expect((await visitor.fetch(`${site.url}/answers/${path}`)).status).toBe(401);
        const visit = await visitor.open(`${site.url}/answers/${path}`);
        expect(visit.status).toBe(200);
        expect(visit.body).toBe(
          { res: `by hand for ${openid ?? ''}`, redirect: 'open to all', file: 'a file' }[path],
        );
      },
    );

    it('answers HEAD as it answers GET, without a body', async () => {
      await visitor.open(`${site.url}/hello`);
      const visit = await visitor.fetch(`${site.url}/hello`, { method: 'HEAD' });
      expect([visit.status, visit.body]).toEqual([200, '']);
    });

    it('answers an EventSource without a session with 401, which ends it, and no redirect', async () => {
      for (const headers of [EVENT_SOURCE, { accept: 'text/event-stream' }]) {
        const visit = await visitor.fetch(`${site.url}/events`, { headers });
        expect([visit.status, visit.headers['content-type']]).toEqual([
          401,
          'application/problem+json; charset=utf-8',
        ]);
        expect(JSON.parse(visit.body)).toMatchObject({ code: 'sign_in_required' });
      }
    });

    it('streams events to an EventSource whose user is known', async () => {
      await visitor.open(`${site.url}/hello`);
      const visit = await visitor.fetch(`${site.url}/events`, { headers: EVENT_SOURCE });
      expect([visit.status, visit.headers['content-type']]).toEqual([200, 'text/event-stream']);
      expect(visit.headers['cache-control']).toContain('no-store');
      expect(visit.body).toContain(`data: {"openid":"${openid ?? ''}"}`);
      expect(visit.body).toContain('event: end');
    });

    it('knows the user in what Nest makes anew for every request', async () => {
      const visit = await visitor.open(`${site.url}/basket`);
      expect(JSON.parse(visit.body)).toEqual({ user: openid, owner: openid });
    });

    it('asks what the version of a route asks for, and serves its own routes in any version', async () => {
      const versions = `${site.url}/versions`;
      expect((await visitor.fetch(versions, { headers: { 'api-version': '1' } })).body).toBe('{"version":1}');
      expect((await visitor.fetch(versions, { headers: { 'api-version': '2' } })).status).toBe(401);
      await visitor.open(versions, { headers: { 'api-version': '2' } });
      expect((await visitor.fetch(versions, { headers: { 'api-version': '2' } })).body).toBe('{"version":2}');
    });
  });

  describe('global interceptors', () => {
    const patience = new TimeoutInterceptor();

    beforeAll(async () => {
      world.clock.advance(31 * 24 * 60 * 60_000);
      site = await world.start({
        platform,
        module: { requestTimeoutMs: 10_000 },
        configure: (app) => {
          app.useGlobalInterceptors(new EnvelopeInterceptor(), patience);
        },
      });
    });
    beforeEach(() => {
      visitor = new Visitor();
    });

    it('change the answers of handlers, and none of ours', async () => {
      const refused = await visitor.fetch(`${site.url}/hello`);
      expect([refused.status, JSON.parse(refused.body)]).toMatchObject([401, { code: 'sign_in_required' }]);
      const explained = await visitor.open(`${site.url}/me`);
      expect(explained.body).toMatch(/^<!doctype html>/);
      const visit = await visitor.answerConsent(await visitor.press(explained), 'allow');
      expect(JSON.parse(visit.body)).toMatchObject({ data: { openid, scope: 'userinfo' } });
    });

    it('may lose patience with a callback: a reload brings the user in, and the process lives on', async () => {
      await world.wechat.reset();
      await world.wechat.failNext('token', { delayMs: 2_000 });
      const visiting = visitor.open(`${site.url}/hello`);
      while (!world.wechat.requests.some(({ endpoint }) => endpoint === 'token')) await setImmediate();
      patience.timeout.next();
      const late = await visiting;
      expect([late.status, new URL(late.url).pathname]).toEqual([408, '/wechat/callback']);
      const visit = await visitor.open(late.url);
      expect([visit.url, JSON.parse(visit.body)]).toMatchObject([`${site.url}/hello`, { data: { openid } }]);
    });
  });
});

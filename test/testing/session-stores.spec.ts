import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { Request, Response } from 'express';
import session from 'express-session';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type WechatSession, WechatSessionStore } from '../../src/index.js';
import { signInWechatUser } from '../../src/testing/index.js';
import { TestWorld, type TestWorldOptions } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

type HostRequest = Request & { session: { wechat?: WechatSession } };

/** What a host on Express would write to keep users in the sessions that it has anyway. */
class ExpressSessions extends WechatSessionStore {
  read(request: unknown): WechatSession | undefined {
    const { wechat } = (request as HostRequest).session;
    return (
      wechat && { ...wechat, issuedAt: new Date(wechat.issuedAt), expiresAt: new Date(wechat.expiresAt) }
    );
  }
  write(response: unknown, wechat: WechatSession): void {
    ((response as Response).req as HostRequest).session.wechat = wechat;
  }
  clear(response: unknown): void {
    delete ((response as Response).req as HostRequest).session.wechat;
  }
}

/** What a host on Fastify would write to keep sessions on the server. */
class FastifySessions extends WechatSessionStore {
  private readonly sessions = new Map<string, WechatSession>();

  read(request: unknown): WechatSession | undefined {
    const [, id = ''] = /sid=([^;]*)/.exec((request as FastifyRequest).headers.cookie ?? '') ?? [];
    return this.sessions.get(id);
  }
  async write(response: unknown, wechat: WechatSession): Promise<void> {
    const id = `${randomUUID()}%2F`;
    await Promise.resolve();
    this.sessions.set(id, wechat);
    (response as FastifyReply).header('Set-Cookie', `sid=${id}; Path=/; Domain=127.0.0.1; SameSite=Strict`);
  }
  clear(response: unknown): void {
    (response as FastifyReply).header('Set-Cookie', 'sid=; Max-Age=0');
  }
}

function withExpressSession(app: INestApplication): void {
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false, name: 'shop.sid' }));
}

describe.each<[string, Pick<TestWorldOptions, 'platform' | 'configure'>, () => WechatSessionStore, object]>([
  [
    'express-session on Express',
    { platform: 'express', configure: withExpressSession },
    () => new ExpressSessions(),
    { name: 'shop.sid', domain: '127.0.0.1', path: '/', httpOnly: true, secure: false, sameSite: 'Lax' },
  ],
  [
    'the server’s memory on Fastify',
    { platform: 'fastify' },
    () => new FastifySessions(),
    { name: 'sid', domain: '127.0.0.1', path: '/', httpOnly: false, secure: false, sameSite: 'Strict' },
  ],
])('where the host keeps sessions in %s, a test', (_, options, createStore, cookie) => {
  let world: TestWorld;

  beforeAll(async () => {
    world = await TestWorld.create();
  });
  afterAll(() => world.close());

  it('signs users in all the same, with the cookie that the host sets', async () => {
    const site = await world.start({ ...options, module: { session: { store: createStore() } } });
    const signedIn = await signInWechatUser(site.app, { userInfo: { nickname: '小满' } });
    expect(signedIn.cookies).toMatchObject([cookie]);
    const visitor = new Visitor({ cookie: signedIn.cookie });
    for (const visit of [await visitor.open(`${site.url}/me`), await visitor.fetch(`${site.url}/me`)]) {
      expect([visit.status, JSON.parse(visit.body)]).toEqual([200, signedIn.user]);
    }
    expect(world.wechat.requests).toEqual([]);
  });

  it('gets sessions that have ended, and those of snapshot pages', async () => {
    const site = await world.start({ ...options, module: { session: { store: createStore() } } });
    const ended = await signInWechatUser(site.app, { session: 'ended' });
    const call = await new Visitor({ cookie: ended.cookie }).fetch(`${site.url}/hello`);
    expect(call.status).toBe(401);
    const { cookie: header, user } = await signInWechatUser(site.app, { snapshot: true });
    const visit = await new Visitor({ cookie: header }).open(`${site.url}/me`);
    expect(JSON.parse(visit.body)).toEqual(user);
  });

  it('finds the module behind a proxy, a prefix and a path of the host’s own', async () => {
    const site = await world.start({
      ...options,
      module: {
        session: { store: createStore() },
        path: '/auth/weixin',
        publicUrl: 'https://a.example.com,https://b.example.com/shop',
      },
      configure: (app) => {
        options.configure?.(app);
        app.setGlobalPrefix('api');
      },
    });
    const signedIn = await signInWechatUser(site.app, { publicUrl: 'https://b.example.com/shop' });
    const visitor = new Visitor({ cookie: signedIn.cookie, host: 'b.example.com' });
    expect((await visitor.fetch(`${site.url}/api/hello`)).status).toBe(200);
  });

  it('is told so if something answers before the module', async () => {
    const site = await world.start({
      ...options,
      module: { session: { store: createStore() } },
      configure: (app) => {
        app.use((_request: unknown, response: { statusCode: number; end(): void }) => {
          response.statusCode = 503;
          response.end();
        });
      },
    });
    await expect(signInWechatUser(site.app)).rejects.toMatchObject({
      code: 'session_not_written',
      message: expect.stringMatching(/GET \/wechat\/callback\. The answer has the status 503 and 0 cookies/),
    });
  });

  it('is told so if nothing answers', async () => {
    const site = await world.start({
      ...options,
      module: { session: { store: createStore() } },
      configure: (app) => {
        app.use((request: IncomingMessage) => request.socket.destroy());
      },
    });
    await expect(signInWechatUser(site.app)).rejects.toMatchObject({
      code: 'session_not_written',
      message: expect.stringContaining('There was no answer'),
      cause: { code: 'ECONNRESET' },
    });
  });

  it('needs no server that listens', async () => {
    const site = await world.start({ ...options, module: { session: { store: createStore() } } });
    const server = site.app.getHttpServer() as Server;
    await new Promise((resolve) => server.close(resolve));
    expect(server.listening).toBe(false);
    expect((await signInWechatUser(site.app)).cookies).toMatchObject([cookie]);
  });

  it('is told so if no cookie comes of the store', async () => {
    class Headers extends FastifySessions {
      override write(): Promise<void> {
        return Promise.resolve();
      }
    }
    const site = await world.start({
      platform: options.platform,
      module: { session: { store: new Headers() } },
    });
    await expect(signInWechatUser(site.app)).rejects.toMatchObject({
      code: 'session_not_written',
      message: expect.stringMatching(/the status 303 and 0 cookies.* write one with the store itself/),
    });
  });
});

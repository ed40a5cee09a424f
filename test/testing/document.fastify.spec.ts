import { AppModule } from './document.host.js'; // not in the document
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { WechatClock } from '../../src/index.js';
import { signInWechatUser } from '../../src/testing/index.js';
import request from 'supertest';

class TestClock extends WechatClock {
  private aheadMs = 0;

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  advance(ms: number): void {
    this.aheadMs += ms;
  }
}

describe('the card', () => {
  const clock = new TestClock();
  let app: NestFastifyApplication;

  beforeAll(async () => {
    const testing = await Test.createTestingModule({ imports: [AppModule] })
      .overrideProvider(WechatClock)
      .useValue(clock)
      .compile();
    app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });
  afterAll(() => app.close());

  it('is there for thirty days', async () => {
    const { cookie } = await signInWechatUser(app, { userInfo: { nickname: '小满' } });
    const response = await request(app.getHttpServer()).get('/card').set('Cookie', cookie);
    expect(response.body).toEqual({ greeting: '你好，小满' });

    clock.advance(30 * 24 * 60 * 60 * 1000);
    const later = await request(app.getHttpServer()).get('/card').set('Cookie', cookie);
    expect(later.status).toBe(401);
  });
});

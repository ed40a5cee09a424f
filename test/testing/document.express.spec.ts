import './document.environment.js'; // not in the document
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  CurrentWechatUser,
  WechatAuth,
  wechatAuthMigrations,
  WechatAuthModule,
  type WechatUser,
} from '../../src/index.js';
import { signInWechatUser } from '../../src/testing/index.js';
import request from 'supertest';

@Controller()
class CardController {
  @Get('card')
  @WechatAuth('userinfo')
  card(@CurrentWechatUser() user: WechatUser): object {
    return { greeting: `你好，${user.userInfo?.nickname ?? '朋友'}` };
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      autoLoadEntities: true,
      migrations: [...wechatAuthMigrations],
      migrationsRun: true,
    }),
    WechatAuthModule.forRoot(),
  ],
  controllers: [CardController],
})
class AppModule {}

describe('the card', () => {
  let app: INestApplication<Server>;

  beforeAll(async () => {
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = testing.createNestApplication();
    await app.init();
  });
  afterAll(() => app.close());

  it('greets by nickname', async () => {
    const { cookie } = await signInWechatUser(app, { userInfo: { nickname: '小满' } });
    const response = await request(app.getHttpServer()).get('/card').set('Cookie', cookie);
    expect(response.body).toEqual({ greeting: '你好，小满' });
  });

  it('is not for strangers', async () => {
    const response = await request(app.getHttpServer()).get('/card');
    expect(response.status).toBe(401);
    expect(response.body).toMatchObject({ code: 'sign_in_required' });
  });

  it('asks again when the consent has ended', async () => {
    const { cookie } = await signInWechatUser(app, { consent: 'ended' });
    // As a browser opens a page.
    const page = await request(app.getHttpServer())
      .get('/card')
      .set('Cookie', cookie)
      .set('Accept', 'text/html');
    expect(page.status).toBe(302);
    expect(page.headers['location']).toContain('/wechat/consent');
  });
});

import { AppModule } from './document.host.js'; // not in the document
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createWechatEmulator, type WechatEmulator } from '../../src/emulator/index.js';
import request from 'supertest';

describe('the way through WeChat', () => {
  let wechat: WechatEmulator;
  let app: INestApplication<Server>;

  beforeAll(async () => {
    wechat = await createWechatEmulator({ users: [{ nickname: '小满' }] });
    process.env.WECHAT_OPEN_BASE_URL = wechat.openBaseUrl;
    process.env.WECHAT_API_BASE_URL = wechat.apiBaseUrl;
    process.env.WECHAT_APP_ID = wechat.apps[0]?.appId;
    process.env.WECHAT_APP_SECRET = wechat.apps[0]?.appSecret;
    const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
    app = testing.createNestApplication();
    await app.init();
  });
  afterAll(async () => {
    await app.close();
    await wechat.close();
  });

  it('leads to the card', async () => {
    const browser = request.agent(app.getHttpServer()).set('Accept', 'text/html');
    // Pressing the button of the page that explains what the profile is for.
    const leaving = await browser.get('/wechat/sign-in?scope=userinfo&asked=1&return_to=/card');
    const consentPage = await (await fetch(leaving.headers['location'] ?? '')).text();
    const [, uuid = ''] = /name="uuid" value="([^"]*)"/.exec(consentPage) ?? [];

    const allowed = await fetch(`${wechat.openBaseUrl}/connect/oauth2/authorize_reply`, {
      method: 'POST',
      body: new URLSearchParams({ uuid, allow: '1' }),
      redirect: 'manual',
    });
    const callback = new URL(allowed.headers.get('location') ?? '');
    const back = await browser.get(callback.pathname + callback.search);
    expect(back.headers['location']).toMatch(/^http:\/\/localhost:3000\/card/);

    expect((await browser.get('/card')).body).toEqual({ greeting: '你好，小满' });
  });
});

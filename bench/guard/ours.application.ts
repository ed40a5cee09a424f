import { createHash, randomBytes } from 'node:crypto';
import { Controller, Get, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GrantRepository } from '../../src/grants/grant.repository.js';
import {
  WechatAuth,
  wechatAuthMigrations,
  WechatAuthModule,
  WechatClock,
  type WechatSessionScope,
  WechatSessionStore,
} from '../../src/index.js';
import { BODY, openidOf, PAGE_HEADERS, profileOf, type Route, VISITORS } from './route.js';

const APP_ID = 'wx0123456789abcdef';
const MONTH_MS = 30 * 24 * 60 * 60 * 1000;
const ACCESS_TOKEN_MS = 2 * 60 * 60 * 1000;
/** More than the sessions that are remembered, so that each comes as if for the first time. */
const FIRST_VISITS = 20_000;
/** Nothing here calls WeChat; if something did, nobody would answer. */
const NOWHERE = 'http://127.0.0.1:9';
/** The same for both platforms: they share a database, and with it what is sealed there. */
const KEY = `k1:${createHash('sha256').update('bench').digest('base64')}`;
const PUBLIC_URL = { origin: 'http://127.0.0.1', host: '127.0.0.1', basePath: '' };

@Controller()
class RoutesController {
  @Get('bare')
  bare(): string {
    return BODY;
  }

  @Get('base')
  @WechatAuth('base')
  base(): string {
    return BODY;
  }

  @Get('userinfo')
  @WechatAuth('userinfo')
  userinfo(): string {
    return BODY;
  }
}

/** Starts the application with a bare, a base and a userinfo route, and signs its visitors in. */
export async function startOurs(
  platform: 'express' | 'fastify',
  databaseUrl: string,
): Promise<Record<string, Route>> {
  @Module({
    imports: [
      TypeOrmModule.forRoot({
        type: 'postgres',
        url: databaseUrl,
        autoLoadEntities: true,
        migrations: [...wechatAuthMigrations],
        migrationsRun: true,
      }),
      WechatAuthModule.forRoot({
        appId: APP_ID,
        appSecret: 'bench',
        publicUrl: PUBLIC_URL.origin,
        keys: KEY,
        openBaseUrl: NOWHERE,
        apiBaseUrl: NOWHERE,
      }),
    ],
    controllers: [RoutesController],
  })
  class HostModule {}
  const app =
    platform === 'fastify'
      ? await NestFactory.create<NestFastifyApplication>(HostModule, new FastifyAdapter(), { logger: false })
      : await NestFactory.create(HostModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const visitors = await signIn(app, VISITORS);
  await keepGrants(app);
  const newcomers = await signIn(app, FIRST_VISITS);
  return {
    bare: { url: `${url}/bare`, visitors, isGuarded: false },
    base: { url: `${url}/base`, visitors, isGuarded: true },
    'base-first-visit': { url: `${url}/base`, visitors: newcomers, isGuarded: true },
    userinfo: { url: `${url}/userinfo`, visitors, isGuarded: true },
  };
}

/** @returns the headers of as many users, each with a session that the module's own store has written. */
async function signIn(app: INestApplication, count: number): Promise<Record<string, string>[]> {
  const sessions = app.get(WechatSessionStore, { strict: false });
  const now = app.get(WechatClock).now();
  const scope: WechatSessionScope = { appId: APP_ID, publicUrl: PUBLIC_URL };
  const visitors: Record<string, string>[] = [];
  for (let index = 0; index < count; index++) {
    const response = new CookieCatcher();
    const session = {
      id: randomBytes(16).toString('hex'),
      appId: APP_ID,
      openid: openidOf(index),
      issuedAt: now,
      expiresAt: new Date(now.getTime() + MONTH_MS),
      snapshot: false,
    };
    await sessions.write(response, session, scope);
    visitors.push({ ...PAGE_HEADERS, cookie: response.cookie });
  }
  return visitors;
}

/** Gives the visitors the rows that a sign-in with consent leaves. */
async function keepGrants(app: INestApplication): Promise<void> {
  const grants = app.get(GrantRepository, { strict: false });
  const now = app.get(WechatClock).now();
  for (let index = 0; index < VISITORS; index++) {
    const openid = openidOf(index);
    const grant = await grants.saveAuthorization({
      appId: APP_ID,
      openid,
      unionid: undefined,
      scope: 'userinfo',
      accessToken: 'a'.repeat(110),
      refreshToken: 'r'.repeat(110),
      requestedAt: now,
      accessTokenLifetimeMs: ACCESS_TOKEN_MS,
      refreshTokenLifetimeMs: MONTH_MS,
    });
    const place = { sex: 0, language: '', province: '', city: '', country: '', privilege: [] };
    await grants.saveUserInfo(grant, { ...profileOf(openid), ...place }, now);
    await grants.markSignedIn(grant, now);
  }
}

/** A response as far as setting a cookie goes, the way Express does it and the way Node does. */
class CookieCatcher {
  cookie = '';

  append(_name: string, line: string): void {
    this.cookie = line.slice(0, line.indexOf(';'));
  }

  getHeader(): undefined {
    return undefined;
  }

  setHeader(name: string, line: string): void {
    this.append(name, line);
  }
}

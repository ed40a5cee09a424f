import {
  Controller,
  Get,
  type INestApplication,
  Module,
  type ModuleMetadata,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CurrentWechatUser, WechatAuth, type WechatAuthOptions, type WechatUser } from '../../src/index.js';
import { freePort, TEST_KEY, type TestInstance, type TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

@Controller()
class PageController {
  @Get('hello')
  @WechatAuth('base')
  hello(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }
}

type Imports = NonNullable<ModuleMetadata['imports']>;

/** Starts an application of a host's own making, by the same call as a host. The caller closes it. */
export async function startHost(
  imports: (url: string) => Imports,
  {
    controllers = [PageController],
    beforeListening,
  }: { controllers?: Type[]; beforeListening?: (app: INestApplication) => Promise<void> } = {},
): Promise<TestInstance> {
  const port = await freePort();
  const url = `http://127.0.0.1:${String(port)}`;
  @Module({ imports: imports(url), controllers })
  class HostModule {}
  const app = await NestFactory.create(HostModule, { logger: false, abortOnError: false });
  try {
    await beforeListening?.(app);
    await app.listen(port, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  return { app, url };
}

/** The four settings without a default, right for this world. */
export function settingsFor(
  world: TestWorld,
  url: string,
): Required<
  Pick<WechatAuthOptions, 'appId' | 'appSecret' | 'publicUrl' | 'keys' | 'openBaseUrl' | 'apiBaseUrl'>
> {
  const [account] = world.wechat.apps;
  return {
    appId: account!.appId,
    appSecret: account!.appSecret,
    publicUrl: url,
    keys: TEST_KEY,
    openBaseUrl: world.wechat.openBaseUrl,
    apiBaseUrl: world.wechat.apiBaseUrl,
  };
}

/** The same settings, as variables. */
export function variablesFor(world: TestWorld, url: string): Record<string, string> {
  const { appId, appSecret, publicUrl, keys, openBaseUrl, apiBaseUrl } = settingsFor(world, url);
  return {
    WECHAT_APP_ID: appId,
    WECHAT_APP_SECRET: appSecret,
    WECHAT_PUBLIC_URL: publicUrl,
    WECHAT_AUTH_KEYS: keys,
    WECHAT_OPEN_BASE_URL: openBaseUrl,
    WECHAT_API_BASE_URL: apiBaseUrl,
  };
}

/** The host's own connection to its database. */
export function database(world: TestWorld, options: object = {}): Imports[number] {
  return TypeOrmModule.forRoot({
    type: 'postgres',
    url: world.database.url,
    autoLoadEntities: true,
    retryAttempts: 0,
    ...options,
  });
}

/** @returns who a new visitor is signed in as, by the whole way to WeChat and back. */
export async function signIn({ url }: TestInstance, path = '/hello'): Promise<WechatUser> {
  const visit = await new Visitor().open(url + path);
  if (visit.status !== 200) throw new Error(`${String(visit.status)} from ${visit.url}:\n${visit.body}`);
  return JSON.parse(visit.body) as WechatUser;
}

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type DynamicModule, Get, Module, Post } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  WechatAuth,
  wechatAuthMigrations,
  WechatAuthModule,
  WechatConfigurationError,
} from '../../src/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { TestWorld } from '../support/test-app.js';
import { database, settingsFor, signIn, startHost } from './host.application.js';

const STRANGER = 'wxffffffffffffffff';

class BaseController {
  @Get('inherited')
  @WechatAuth('base', { account: STRANGER })
  inherited(): string {
    return 'inherited';
  }

  @Get('replaced')
  @WechatAuth('base', { account: STRANGER })
  replaced(): string {
    return 'replaced';
  }
}

@Controller('shop')
class ShopController extends BaseController {
  @Post('orders')
  @WechatAuth('userinfo', { account: STRANGER, optional: true })
  order(): string {
    return 'ordered';
  }

  @Get('replaced')
  @WechatAuth()
  override replaced(): string {
    return 'replaced here';
  }

  get account(): string {
    throw new Error('A getter is no handler.');
  }
}

@Controller('admin')
@WechatAuth('base', { account: STRANGER })
class AdminController {
  @Get()
  index(): string {
    return 'admin';
  }
}

@Controller('names')
class NamesController {
  @Get()
  @WechatAuth('base', { account: 'the shop' })
  index(): string {
    return 'named otherwise';
  }
}

/** As written in JavaScript. */
@Controller('untyped')
class UntypedController {
  @Get('first')
  @WechatAuth('snsapi_userinfo' as 'userinfo')
  first(): void {}

  @Get('second')
  @WechatAuth({ optional: true } as unknown as 'base')
  second(): void {}

  @Get('third')
  @WechatAuth('base', { prompt: 'never' as 'direct' })
  third(): void {}
}

@Module({ controllers: [ShopController] })
class FirstModule {}
@Module({ controllers: [ShopController] })
class SecondModule {}

let world: TestWorld;
let empty: TestDatabase;

beforeAll(async () => {
  world = await TestWorld.create();
  empty = await createTestDatabase();
  const site = await world.start();
  await signIn(site);
});
afterAll(async () => {
  await world.close();
  await empty.drop();
});

/** What keeps an application from starting. */
async function failureOf(...host: Parameters<typeof startHost>): Promise<unknown> {
  try {
    const { app } = await startHost(...host);
    await app.close();
  } catch (error) {
    return error;
  }
  throw new Error('The application started.');
}

async function problemsOf(...host: Parameters<typeof startHost>): Promise<string[]> {
  const error = await failureOf(...host);
  if (!(error instanceof WechatConfigurationError)) throw error;
  return error.problems.map(({ problem }) => problem);
}

describe('the check at start', () => {
  it('says in one message what is wrong in the options, the database and the routes', async () => {
    const error = await failureOf(
      (url) => [
        database(world, { url: empty.url }),
        WechatAuthModule.forRoot({
          ...settingsFor(world, url),
          publicUrl: 'http://shop.example.com',
          keys: 'k1:short',
        }),
      ],
      { controllers: [AdminController] },
    );
    expect(error).toBeInstanceOf(WechatConfigurationError);
    expect((error as Error).message.split('\n')).toEqual([
      'nestjs-wechat-auth is not configured correctly:',
      expect.stringMatching(
        /^ {2}- publicUrl \(WECHAT_PUBLIC_URL\) has http:\/\/shop\.example\.com: plain http/,
      ),
      expect.stringMatching(
        /^ {2}- keys \(WECHAT_AUTH_KEYS\): entry 1 is base64 of 3 bytes, not 32\. Make one/,
      ),
      expect.stringMatching(
        /^ {2}- The database lacks the table wechat_grant, .* and the table .* nestjs-wechat-auth migrate/,
      ),
      expect.stringMatching(
        /^ {2}- AdminController: @WechatAuth names an account that is not configured, wxffffffffffffffff\. Name the app id of one that is, wx/,
      ),
    ]);
  });

  it('looks for the keys of stored tokens also where another option is wrong', async () => {
    const problems = await problemsOf((url) => [
      database(world),
      WechatAuthModule.forRoot({
        ...settingsFor(world, url),
        keys: `k2:${Buffer.alloc(32, 2).toString('base64')}`,
        prompt: 'never' as 'direct',
      }),
    ]);
    expect(problems).toEqual([
      expect.stringMatching(/^prompt is unknown/),
      'keys (WECHAT_AUTH_KEYS) lacks the key k1, by which tokens in wechat_grant are sealed.',
    ]);
  });

  it('says in one message what is wrong around options that are right', async () => {
    const problems = await problemsOf(
      (url) => [
        database(world),
        WechatAuthModule.forRoot({
          ...settingsFor(world, url),
          keys: `k2:${Buffer.alloc(32, 2).toString('base64')}`,
        }),
      ],
      { controllers: [AdminController] },
    );
    expect(problems).toEqual([
      'keys (WECHAT_AUTH_KEYS) lacks the key k1, by which tokens in wechat_grant are sealed.',
      'AdminController: @WechatAuth names an account that is not configured, wxffffffffffffffff.',
    ]);
  });

  it('names each handler that wants an unknown account, inherited ones too, and once', async () => {
    const problems = await problemsOf(
      (url) => [
        database(world),
        FirstModule,
        SecondModule,
        WechatAuthModule.forRoot(settingsFor(world, url)),
      ],
      { controllers: [NamesController] },
    );
    expect(problems.sort()).toEqual([
      'NamesController.index: @WechatAuth names an account that is not configured, a text of 8 characters.',
      'ShopController.inherited: @WechatAuth names an account that is not configured, wxffffffffffffffff.',
      'ShopController.order: @WechatAuth names an account that is not configured, wxffffffffffffffff.',
    ]);
  });

  it('names scopes and prompts that do not exist, as a host without types may write them', async () => {
    const problems = await problemsOf(
      (url) => [database(world), WechatAuthModule.forRoot(settingsFor(world, url))],
      { controllers: [UntypedController] },
    );
    expect(problems.sort()).toEqual([
      'UntypedController.first: @WechatAuth names a scope that does not exist, snsapi_userinfo.',
      'UntypedController.second: @WechatAuth names a scope that does not exist, an object.',
      'UntypedController.third: @WechatAuth names a prompt that does not exist, never.',
    ]);
  });

  it('refuses a second import with options, before two instances fight for the same routes', async () => {
    const problems = await problemsOf((url) => [
      database(world),
      WechatAuthModule.forRoot(settingsFor(world, url)),
      WechatAuthModule.forRoot({ ...settingsFor(world, url), prompt: 'direct' }),
    ]);
    expect(problems).toEqual(['WechatAuthModule is imported 2 times with options.']);
  });

  it('does not ask routes for accounts that are themselves wrong', async () => {
    const problems = await problemsOf(
      (url) => [
        database(world),
        WechatAuthModule.forRoot({ ...settingsFor(world, url), appId: 'no app id' }),
      ],
      { controllers: [AdminController] },
    );
    expect(problems).toEqual([
      'appId (WECHAT_APP_ID) is not the form of a WeChat app id: the option holds a text of 9 characters.',
    ]);
  });

  it('says what is wrong in the options while the database is still waited for', async () => {
    let giveUp: ((reason: Error) => void) | undefined;
    const connecting = new Promise<never>((_, reject) => (giveUp = reject));
    const problems = await problemsOf(() => [
      TypeOrmModule.forRootAsync({
        useFactory: () => ({ type: 'postgres' as const, retryAttempts: 0 }),
        dataSourceFactory: () => connecting,
      }),
      WechatAuthModule.forRoot({ appId: 'no app id', publicUrl: 'nowhere', keys: 'k1:short' }),
    ]);
    giveUp?.(new Error('Nobody waits any more.'));
    expect(problems).toEqual([
      expect.stringMatching(/^appId \(WECHAT_APP_ID\) is not the form/),
      'appSecret (WECHAT_APP_SECRET) is missing.',
      expect.stringMatching(/^publicUrl \(WECHAT_PUBLIC_URL\) has no https/),
      expect.stringMatching(/^keys \(WECHAT_AUTH_KEYS\): entry 1/),
      expect.stringMatching(/^The database is not connected yet/),
    ]);
  });

  it('lets a host run the migrations once its application is created', async () => {
    const own = await createTestDatabase();
    try {
      const host = await startHost(
        (url) => [
          database(world, { url: own.url, migrations: [...wechatAuthMigrations] }),
          WechatAuthModule.forRoot(settingsFor(world, url)),
        ],
        {
          beforeListening: async (app) => {
            await app.get(DataSource).runMigrations();
          },
        },
      );
      expect(await signIn(host)).toMatchObject({ appId: world.wechat.apps[0]?.appId });
      await host.app.close();
    } finally {
      await own.drop();
    }
  });
});

describe('what is not the module’s to say stays as it is', () => {
  const wrong = { appId: 'no app id', publicUrl: 'nowhere' };

  it.each([
    ['before', 0],
    ['after', 1],
  ])('a database that cannot be reached, whatever the order: %s the module', async (_, position) => {
    const error = await failureOf(() => {
      const imports = [WechatAuthModule.forRoot(wrong)];
      imports.splice(
        position,
        0,
        database(world, { url: 'postgres://127.0.0.1:1/nothing' }) as DynamicModule,
      );
      return imports;
    });
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('an error of the host’s own factory', async () => {
    const vaultError = new Error('The vault is sealed.');
    const error = await failureOf(() => [
      database(world),
      // Not before the database is connected: nobody would wait for that connection any more.
      WechatAuthModule.forRootAsync({
        inject: [DataSource],
        useFactory: () => Promise.reject(vaultError),
      }),
    ]);
    expect(error).toBe(vaultError);
  });
});

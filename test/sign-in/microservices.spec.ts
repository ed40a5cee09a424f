import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplicationContext,
  type INestMicroservice,
  Module,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import {
  type ClientProxy,
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  type MicroserviceOptions,
  Transport,
} from '@nestjs/microservices';
import { TypeOrmModule } from '@nestjs/typeorm';
import { firstValueFrom } from 'rxjs';
import {
  CurrentWechatUser,
  WechatAuth,
  WechatAuthGuard,
  WechatAuthModule,
  WechatAuthService,
  WechatClock,
  WechatPublic,
  type WechatUser,
} from '../../src/index.js';
import { freePort, TEST_KEY, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';
import { LogBook } from './log-book.js';

interface Seen {
  user: WechatUser | null;
}

function seen(user: WechatUser | undefined): Seen {
  return { user: user ?? null };
}

@Controller()
class PlainController {
  @MessagePattern('plain')
  plain(@CurrentWechatUser() user?: WechatUser): Seen {
    return seen(user);
  }
}

@Controller('stock')
@WechatAuth()
class StockController {
  static readonly moves: unknown[] = [];

  @Get()
  show(@CurrentWechatUser() user: WechatUser): Seen {
    return seen(user);
  }

  @MessagePattern('stock.count')
  count(): number {
    return 7;
  }

  @MessagePattern('stock.ping')
  @WechatPublic()
  ping(@CurrentWechatUser() user?: WechatUser): Seen {
    return seen(user);
  }

  @MessagePattern('stock.optional')
  @WechatAuth('base', { optional: true })
  optional(@CurrentWechatUser() user?: WechatUser): Seen {
    return seen(user);
  }

  @EventPattern('stock.moved')
  moved(move: unknown): void {
    StockController.moves.push(move);
  }
}

@Module({
  providers: [{ provide: APP_GUARD, useClass: WechatAuthGuard }],
  controllers: [PlainController, StockController],
})
class GuardedModule {}

const ON_TCP = (port: number): MicroserviceOptions => ({
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port },
});

function clientOf(port: number): ClientProxy {
  return ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
}

const CURE = 'Mark the handler @WechatPublic() and protect it by a guard of its own';

describe('a microservice of a hybrid application, under the guard as a global guard', () => {
  const log = new LogBook();
  let world: TestWorld;
  let site: TestInstance;
  let client: ClientProxy;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      imports: [GuardedModule],
      configure: (app) => {
        app.useLogger(log);
      },
    });
    const port = await freePort();
    site.app.connectMicroservice<MicroserviceOptions>(ON_TCP(port), { inheritAppConfig: true });
    await site.app.startAllMicroservices();
    client = clientOf(port);
  });
  beforeEach(() => {
    log.errors = [];
  });
  afterAll(async () => {
    client.close();
    await world.close();
  });

  const send = (pattern: string, message: unknown = {}): Promise<unknown> =>
    firstValueFrom(client.send<unknown>(pattern, message));

  it('gets its messages, without a user', async () => {
    expect(await send('plain')).toEqual({ user: null });
    expect(await send('stock.ping')).toEqual({ user: null });
    expect(await send('stock.optional')).toEqual({ user: null });
    expect(log.errors).toEqual([]);
  });

  it('takes nothing in a message for the user', async () => {
    expect(await send('plain', { wechatUser: { openid: 'who I claim to be' } })).toEqual({ user: null });
  });

  it('refuses messages that a controller marked @WechatAuth does not exempt, and says why in the log', async () => {
    await expect(send('stock.count')).rejects.toEqual({
      status: 'error',
      message: 'Internal server error',
    });
    expect(log.errors).toHaveLength(1);
    expect(log.errors[0]).toContain(
      "StockController.count is marked @WechatAuth, but it is a handler of type 'rpc'",
    );
    expect(log.errors[0]).toContain(CURE);
  });

  it('survives an event that it refuses', async () => {
    await firstValueFrom(client.emit('stock.moved', {}), { defaultValue: undefined });
    await log.untilError('StockController.moved is marked @WechatAuth');
    expect(StockController.moves).toEqual([]);
    expect(await send('plain')).toEqual({ user: null });
  });

  it('has HTTP routes beside it, which sign people in', async () => {
    const visit = await new Visitor().open(`${site.url}/stock`);
    expect(JSON.parse(visit.body)).toMatchObject({ user: { scope: 'base' } });
  });
});

describe('a process without HTTP', () => {
  let world: TestWorld;
  let app: INestApplicationContext | undefined;
  let client: ClientProxy | undefined;

  beforeAll(async () => {
    world = await TestWorld.create();
  });
  afterEach(async () => {
    client?.close();
    await app?.close();
  });
  afterAll(() => world.close());

  /** The module that the web process would start with, too. */
  function appModule(): new () => object {
    const [account] = world.wechat.apps;
    @Module({
      imports: [
        TypeOrmModule.forRoot({ type: 'postgres', url: world.database.url, autoLoadEntities: true }),
        WechatAuthModule.forRoot({
          appId: account?.appId ?? '',
          appSecret: account?.appSecret ?? '',
          publicUrl: 'https://shop.example.com',
          keys: TEST_KEY,
          openBaseUrl: world.wechat.openBaseUrl,
          apiBaseUrl: world.wechat.apiBaseUrl,
        }),
        GuardedModule,
      ],
    })
    class AppModule {}
    return AppModule;
  }

  it('starts as a worker, with what a job needs', async () => {
    app = await NestFactory.createApplicationContext(appModule(), { logger: false });
    expect(app.get(WechatAuthService)).toBeInstanceOf(WechatAuthService);
    expect(app.get(WechatClock).now()).toBeInstanceOf(Date);
  });

  it('starts as a microservice, and treats its handlers as a hybrid application does', async () => {
    const log = new LogBook();
    const port = await freePort();
    const microservice: INestMicroservice = await NestFactory.createMicroservice<MicroserviceOptions>(
      appModule(),
      { ...ON_TCP(port), logger: log },
    );
    app = microservice;
    await microservice.listen();
    client = clientOf(port);
    expect(await firstValueFrom(client.send<unknown>('plain', {}))).toEqual({ user: null });
    await expect(firstValueFrom(client.send<unknown>('stock.count', {}))).rejects.toEqual({
      status: 'error',
      message: 'Internal server error',
    });
    expect(log.errors.join()).toContain(CURE);
  });
});

import { subscribe } from 'node:diagnostics_channel';
import { ConsoleLogger, Controller, Get, Module } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule } from '@nestjs/event-emitter';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Revocations } from '../../src/grants/revocations.js';
import {
  CurrentWechatUser,
  WechatAuth,
  type WechatAuthEventName,
  WechatAuthModule,
  WechatAuthService,
  WechatClock,
  type WechatUser,
} from '../../src/index.js';
import { Housekeeping } from '../../src/refresh/housekeeping.js';
import {
  INSTANCE_HEADER,
  type CommandName,
  type InstanceCommands,
  type InstanceSettings,
} from './messages.js';
import { VirtualClock } from './virtual.clock.js';

/** The pages of the application, one for each scope. */
@Controller()
class PagesController {
  @Get('base')
  @WechatAuth('base')
  base(@CurrentWechatUser() user: WechatUser): object {
    return { openid: user.openid };
  }

  @Get('userinfo')
  @WechatAuth('userinfo')
  userinfo(@CurrentWechatUser() user: WechatUser): object {
    return { openid: user.openid, nickname: user.userInfo?.nickname };
  }
}

export interface Host {
  url: string;
  turnClock: (nowMs: number) => void;
  commands: { [Name in CommandName]: (...args: Parameters<InstanceCommands[Name]>) => unknown };
}

/** Starts an application as a host would write it, whose clock and timers are in the caller's hands. */
export async function startHost(
  settings: InstanceSettings,
  tell: (name: WechatAuthEventName, payload: object) => void,
): Promise<Host> {
  nameCaller(settings.number);
  const clock = new VirtualClock(settings.nowMs, settings.skewMs);
  const testing = await Test.createTestingModule({ imports: [hostModule(settings)] })
    .overrideProvider(WechatClock)
    .useValue(clock)
    // All that it has to say, so that no secret stays unseen.
    .setLogger(new ConsoleLogger({ colors: false }))
    .compile();
  const adapter = settings.platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = testing.createNestApplication(adapter);
  await app.listen(0, '127.0.0.1');
  app.get(EventEmitter2, { strict: false }).onAny((name, payload) => {
    tell(name as WechatAuthEventName, payload as object);
  });
  const service = app.get(WechatAuthService, { strict: false });
  const revocations = app.get(Revocations, { strict: false });
  const housekeeping = app.get(Housekeeping, { strict: false });
  return {
    url: await app.getUrl(),
    turnClock: (nowMs) => clock.turn(nowMs),
    commands: {
      tick: () => undefined,
      sweep: () => service.refreshDue(),
      poll: () => revocations.poll(),
      housekeeping: () => housekeeping.run(),
      accessToken: (openid) => service.getAccessToken({ openid }),
      userInfo: async (openid) => (await service.getUserInfo({ openid })).nickname,
      requireConsent: (openid) => service.requireConsent({ openid }),
      forget: (openid) => service.forget({ openid }),
      stop: () => app.close(),
    },
  };
}

function hostModule({ databaseUrl, wechatUrl, publicUrl, appId, appSecret, keys }: InstanceSettings) {
  @Module({
    imports: [
      EventEmitterModule.forRoot(),
      TypeOrmModule.forRoot({ type: 'postgres', url: databaseUrl, autoLoadEntities: true, retryAttempts: 0 }),
      WechatAuthModule.forRoot({
        appId,
        appSecret,
        publicUrl,
        keys,
        openBaseUrl: wechatUrl,
        apiBaseUrl: wechatUrl,
        // The simulation says when.
        refresh: false,
        // What holds a refresh for a job lasts as long as three of these. The module's own clock tells the database's time
        // and is never off by 20 s; this one is.
        requestTimeoutMs: 10_000,
      }),
    ],
    controllers: [PagesController],
  })
  class HostModule {}
  return HostModule;
}

/** Every call of WeChat names the process that calls: its answer is what this one, and no other, was told. */
function nameCaller(number: number): void {
  subscribe('undici:request:create', (message) => {
    const { request } = message as { request: { addHeader(name: string, value: string): void } };
    request.addHeader(INSTANCE_HEADER, `${String(number)}/${String(process.pid)}`);
  });
}

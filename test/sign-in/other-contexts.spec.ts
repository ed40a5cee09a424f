import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { APP_GUARD, ExternalContextCreator } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { WebSocket } from 'ws';
import {
  CurrentWechatUser,
  WechatAuth,
  WechatAuthGuard,
  WechatPublic,
  type WechatUser,
} from '../../src/index.js';
import { type TestInstance, TestWorld } from '../support/test-app.js';
import { LogBook } from './log-book.js';

interface Seen {
  user: WechatUser | null;
}

/** What a client of the gateway gets to read. */
interface Answer {
  event: string;
  data: unknown;
}

function seen(user: WechatUser | undefined): Seen {
  return { user: user ?? null };
}

@WebSocketGateway()
class ChatGateway {
  @SubscribeMessage('plain')
  plain(@CurrentWechatUser() user?: WechatUser): { event: string; data: Seen } {
    return { event: 'plain', data: seen(user) };
  }

  @SubscribeMessage('marked')
  @WechatAuth()
  marked(): { event: string; data: string } {
    return { event: 'marked', data: 'nobody may see this' };
  }

  @SubscribeMessage('optional')
  @WechatAuth('userinfo', { optional: true })
  optional(@CurrentWechatUser() user?: WechatUser): { event: string; data: Seen } {
    return { event: 'optional', data: seen(user) };
  }
}

/** Handlers that a GraphQL, a queue or a bot package would call, by the same part of Nest that they use. */
@Injectable()
class BookResolver {
  unmarked(): string {
    return 'unmarked';
  }

  @WechatAuth('userinfo')
  marked(): string {
    return 'marked';
  }

  @WechatPublic()
  public(): string {
    return 'public';
  }

  @WechatAuth('userinfo', { optional: true })
  optional(): string {
    return 'optional';
  }
}

@Module({ providers: [{ provide: APP_GUARD, useClass: WechatAuthGuard }, ChatGateway, BookResolver] })
class GuardedModule {}

const CURE = 'Mark the handler @WechatPublic() and protect it by a guard of its own';

describe('under the guard as a global guard', () => {
  const log = new LogBook();
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      imports: [GuardedModule],
      configure: (app) => {
        app.useLogger(log);
        app.useWebSocketAdapter(new WsAdapter(app));
      },
    });
  });
  beforeEach(() => {
    log.errors = [];
  });
  afterAll(() => world.close());

  describe('a WebSocket gateway', () => {
    let socket: WebSocket;
    let received: Answer[];

    beforeEach(async () => {
      received = [];
      socket = new WebSocket(site.url.replace('http', 'ws'));
      socket.on('message', (data: Buffer) => received.push(JSON.parse(String(data)) as Answer));
      await new Promise((opened) => socket.once('open', opened));
    });
    afterEach(() => {
      socket.terminate();
    });

    function say(event: string): void {
      socket.send(JSON.stringify({ event, data: 'hello' }));
    }

    async function answerTo(event: string): Promise<Answer> {
      const answer = new Promise<Answer>((resolve) => {
        socket.on('message', () => {
          const found = received.find((message) => message.event === event);
          if (found) resolve(found);
        });
      });
      say(event);
      return answer;
    }

    it('gets its messages, without a user', async () => {
      expect(await answerTo('plain')).toEqual({ event: 'plain', data: { user: null } });
      expect(await answerTo('optional')).toEqual({ event: 'optional', data: { user: null } });
      expect(log.errors).toEqual([]);
    });

    it('refuses messages of a handler that is marked @WechatAuth, says why in the log, and lives on', async () => {
      say('marked');
      await log.untilError("ChatGateway.marked is marked @WechatAuth, but it is a handler of type 'ws'");
      expect(log.errors).toHaveLength(1);
      expect(log.errors[0]).toContain(CURE);

      expect(await answerTo('plain')).toEqual({ event: 'plain', data: { user: null } });
      // Nest 12 tells a native client of the failure; before, its filter did not reach one.
      expect(received.filter(({ event }) => event !== 'exception')).toEqual([
        { event: 'plain', data: { user: null } },
      ]);
    });
  });

  describe('a handler that another package calls, of GraphQL for example', () => {
    function run(name: 'unmarked' | 'marked' | 'public' | 'optional'): Promise<unknown> {
      const resolver = site.app.get(BookResolver);
      const handler = site.app
        .get(ExternalContextCreator)
        .create(
          resolver,
          resolver[name],
          name,
          undefined,
          undefined,
          undefined,
          undefined,
          undefined,
          'graphql',
        );
      return handler({}, {}, {}) as Promise<unknown>;
    }

    it('is refused with cause and cure, marked or not', async () => {
      await expect(run('unmarked')).rejects.toThrow(
        "WechatAuthGuard is a global guard and met BookResolver.unmarked, a handler of type 'graphql'",
      );
      await expect(run('unmarked')).rejects.toThrow(CURE);
      await expect(run('marked')).rejects.toThrow(
        "BookResolver.marked is marked @WechatAuth, but it is a handler of type 'graphql'",
      );
    });

    it('runs if it is public or optional', async () => {
      expect([await run('public'), await run('optional')]).toEqual(['public', 'optional']);
    });
  });
});

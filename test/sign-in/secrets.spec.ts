import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger, type LoggerService } from '@nestjs/common';
import { PLATFORMS, type TestInstance, TEST_KEY, TestWorld } from '../support/test-app.js';
import { type Visit, Visitor } from '../support/visitor.js';

/** Keeps everything that would have been written. */
class CapturedLog implements LoggerService {
  readonly lines: string[] = [];

  private readonly keep = (...parts: unknown[]): void => {
    this.lines.push(parts.map((part) => inspect(part, { depth: 8 })).join(' '));
  };

  readonly log = this.keep;
  readonly error = this.keep;
  readonly warn = this.keep;
  readonly debug = this.keep;
  readonly verbose = this.keep;
}

describe.each(PLATFORMS)('secrets, on %s', (platform) => {
  const captured = new CapturedLog();
  let world: TestWorld;
  let site: TestInstance;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({
      platform,
      module: {
        requestTimeoutMs: 200,
        onSignIn: (_user, { request }) => {
          if ((request as { headers: Record<string, string> }).headers['x-reject'])
            throw new Error('rejected');
        },
      },
      configure: (app) => {
        app.useLogger(captured);
      },
    });
  });
  afterAll(async () => {
    await world.close();
    Logger.overrideLogger(['fatal', 'error', 'warn', 'log']);
  });

  it('show in no log and on no page of ours, however a sign-in ends', async () => {
    const answers: Visit[] = [];
    const failures = [
      ['token', { errcode: 40029, errmsg: 'invalid code' }],
      ['token', { errcode: 40125, errmsg: `invalid appsecret ${world.wechat.apps[0]?.appSecret ?? ''}` }],
      ['token', { cut: true }],
      ['token', { hang: true }],
      ['token', { body: 'nonsense' }],
      ['userinfo', { errcode: -1, errmsg: 'system error' }],
      ['userinfo', { errcode: 48001, errmsg: 'api unauthorized' }],
      ['userinfo', { hang: true }],
    ] as const;
    for (const [endpoint, fault] of failures) {
      await world.wechat.failNext(endpoint, fault);
      // A new minute, so that nobody is taken for a browser that goes in circles.
      world.clock.advance(60_000);
      const visitor = new Visitor();
      answers.push(
        await visitor
          .open(`${site.url}/direct`)
          .then((page) =>
            page.url.startsWith(world.wechat.url) ? visitor.answerConsent(page, 'allow') : page,
          ),
      );
      answers.push(await visitor.open(`${site.url}/me`));
    }
    answers.push(await new Visitor({ 'x-reject': '1' }).open(`${site.url}/hello`));

    const given = new Set<string>();
    for (const { query } of world.wechat.requests) {
      for (const name of ['code', 'secret', 'access_token', 'refresh_token']) {
        const value = query[name];
        if (value !== undefined) given.add(value);
      }
    }
    const key = TEST_KEY.split(':')[1] ?? '';
    const openids = world.wechat.users.map(({ openid }) => openid);
    const ourAnswers = answers.filter(({ url }) => url.startsWith(site.url));
    expect(given.size).toBeGreaterThan(failures.length);
    expect(captured.lines.length).toBeGreaterThan(failures.length - 1);
    for (const secret of [...given, key]) {
      expect(captured.lines.filter((line) => line.includes(secret))).toEqual([]);
      expect(ourAnswers.filter(({ body }) => body.includes(secret))).toEqual([]);
    }
    for (const openid of openids) {
      expect(captured.lines.filter((line) => line.includes(openid))).toEqual([]);
    }
    expect(captured.lines.filter((line) => line.includes('code='))).toEqual([]);
  });
});

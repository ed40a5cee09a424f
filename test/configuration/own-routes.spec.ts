import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { All, Controller, Get, Module, Post, type Type, VersioningType } from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { WechatAuth, WechatAuthModule, WechatConfigurationError } from '../../src/index.js';
import { PLATFORMS, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

const mountedAt = (path: string): Type => {
  @Module({ imports: [RouterModule.register([{ path, module: WechatAuthModule }])] })
  class Mounted {}
  return Mounted;
};

let world: TestWorld;
beforeAll(async () => {
  world = await TestWorld.create();
});
afterAll(() => world.close());

describe.each(PLATFORMS)('on %s, a host that mounts the module with RouterModule', (platform) => {
  it.each([
    ['below a path', '', 'sub', '/sub/wechat/callback'],
    ['below a path and a global prefix', 'api', '/sub/of/', '/api/sub/of/wechat/callback'],
  ])('%s signs users in there', async (_, prefix, path, callback) => {
    const site = await world.start({
      platform,
      imports: [mountedAt(path)],
      configure: (app) => app.setGlobalPrefix(prefix, { exclude: ['hello'] }),
    });
    const visited: string[] = [];
    const visit = await new Visitor().open(`${site.url}/hello`, {
      follow: (location) => visited.push(new URL(location).pathname) > 0,
    });
    expect([visit.status, visit.body.includes('openid')]).toEqual([200, true]);
    expect(visited).toContain(callback);
  });
});

@Controller('wechat')
class CallbackController {
  @Get(['messages', '/callback/'])
  callback(): void {}
}

@Controller(['pages', 'wechat/sign-out'])
class EverythingController {
  @All()
  everything(): void {}
}

@Controller('sub')
class SubController {
  @Get('wechat/consent')
  consent(): void {}
}

/** Near the module's routes, and not on them. */
@Controller('wechat')
class NeighbourController {
  @Post('callback')
  callback(): void {}

  @Get('callback/status')
  @WechatAuth()
  status(): void {}

  @Get('sign-out')
  signedOut(): void {}
}

@Controller({ path: 'wechat', host: 'admin.example.com' })
class OtherHostController {
  @Get('callback')
  callback(): void {}
}

@Controller({ path: 'wechat', version: '1' })
class FirstVersionController {
  @Get('callback')
  callback(): void {}
}

async function problemsWith(...options: Parameters<TestWorld['start']>): Promise<string[]> {
  try {
    await world.start(...options);
    return [];
  } catch (error) {
    if (error instanceof WechatConfigurationError) return error.problems.map(({ problem }) => problem);
    throw error;
  }
}

describe('a controller of the host’s on a route of the module', () => {
  it.each(PLATFORMS)('is found at start, on %s', async (platform) => {
    const controllers = [CallbackController, EverythingController];
    expect(await problemsWith({ platform, controllers })).toEqual([
      "CallbackController.callback answers /wechat/callback, a route of this module's own.",
      "EverythingController.everything answers /wechat/sign-out, a route of this module's own.",
    ]);
  });

  it('is found where the option path or RouterModule has moved the module there', async () => {
    expect(await problemsWith({ module: { path: '/login' }, controllers: [CallbackController] })).toEqual([]);
    expect(await problemsWith({ controllers: [SubController] })).toEqual([]);
    expect(await problemsWith({ imports: [mountedAt('sub')], controllers: [SubController] })).toEqual([
      "SubController.consent answers /sub/wechat/consent, a route of this module's own.",
    ]);
  });

  it('is not seen in one with another method, path, host name or version', async () => {
    const controllers = [NeighbourController, OtherHostController, FirstVersionController];
    const configure: NonNullable<Parameters<TestWorld['start']>[0]>['configure'] = (app) =>
      app.enableVersioning({ type: VersioningType.URI });
    expect(await problemsWith({ controllers, configure })).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, Req, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { SignJWT } from 'jose';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { WechatAuth, WechatAuthGuard, WechatPublic, type WechatUser } from '../../src/index.js';
import { PLATFORMS, type TestInstance, TestWorld } from '../support/test-app.js';
import { Visitor } from '../support/visitor.js';

const JWT_KEY = 'the key that the host signs its own tokens with';

@Injectable()
class JwtStrategy extends PassportStrategy(Strategy, 'jwt') {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: JWT_KEY });
  }

  validate({ sub }: { sub: string }): { id: string } {
    return { id: sub };
  }
}

interface HostRequest {
  user?: { id: string };
  wechatUser?: WechatUser;
}

interface Seen {
  user?: string | undefined;
  openid?: string | undefined;
}

function seen({ user, wechatUser }: HostRequest): Seen {
  return { user: user?.id, openid: wechatUser?.openid };
}

@Controller('jwt')
class JwtController {
  // Nest applies the guards of a handler from the lowest decorator up.
  @Get('after')
  @UseGuards(AuthGuard('jwt'))
  @WechatAuth()
  after(@Req() request: HostRequest): Seen {
    return seen(request);
  }

  @Get('before')
  @WechatAuth()
  @UseGuards(AuthGuard('jwt'))
  before(@Req() request: HostRequest): Seen {
    return seen(request);
  }

  @Get('optional')
  @UseGuards(AuthGuard('jwt'))
  @WechatAuth('base', { optional: true })
  optional(@Req() request: HostRequest): Seen {
    return seen(request);
  }

  @Get('undecorated')
  @UseGuards(AuthGuard('jwt'))
  undecorated(@Req() request: HostRequest): Seen {
    return seen(request);
  }

  @Get('public')
  @WechatPublic()
  @UseGuards(AuthGuard('jwt'))
  public(@Req() request: HostRequest): Seen {
    return seen(request);
  }
}

@Module({
  providers: [JwtStrategy, { provide: APP_GUARD, useClass: WechatAuthGuard }],
  controllers: [JwtController],
})
class HostModule {}

describe.each(PLATFORMS)("beside another strategy of Passport's, on %s", (platform) => {
  let world: TestWorld;
  let site: TestInstance;
  let visitor: Visitor;
  let authorization: string;

  beforeAll(async () => {
    world = await TestWorld.create();
    site = await world.start({ platform, imports: [HostModule] });
    visitor = new Visitor();
    await visitor.open(`${site.url}/hello`);
    const token = await new SignJWT({ sub: 'employee-7' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(JWT_KEY));
    authorization = `Bearer ${token}`;
  });
  afterAll(() => world.close());

  const openid = (): string | undefined => world.wechat.users[0]?.openid;

  it.each(['after', 'before', 'undecorated', 'optional'])(
    'gives a handler both users, each under a name of its own (%s)',
    async (path) => {
      const visit = await visitor.fetch(`${site.url}/jwt/${path}`, { headers: { authorization } });
      expect(JSON.parse(visit.body)).toEqual({ user: 'employee-7', openid: openid() });
    },
  );

  it.each(['after', 'before', 'undecorated', 'optional'])(
    'lets the other guard refuse by itself (%s)',
    async (path) => {
      const visit = await visitor.fetch(`${site.url}/jwt/${path}`);
      expect([visit.status, JSON.parse(visit.body)]).toEqual([
        401,
        { statusCode: 401, message: 'Unauthorized' },
      ]);
    },
  );

  it.each(['after', 'before', 'undecorated'])('asks for WeChat as well (%s)', async (path) => {
    const visit = await new Visitor().fetch(`${site.url}/jwt/${path}`, { headers: { authorization } });
    expect([visit.status, JSON.parse(visit.body)]).toMatchObject([401, { code: 'sign_in_required' }]);
  });

  it('leaves the other guard alone where WeChat is optional, or not asked for', async () => {
    for (const path of ['optional', 'public']) {
      const visit = await new Visitor().fetch(`${site.url}/jwt/${path}`, { headers: { authorization } });
      expect(JSON.parse(visit.body)).toEqual({ user: 'employee-7' });
    }
  });
});

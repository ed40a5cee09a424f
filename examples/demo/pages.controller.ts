import { Controller, Get, Header } from '@nestjs/common';
import { CurrentWechatUser, WechatAuth, WechatClock, type WechatUser } from 'nestjs-wechat-auth';
import { GrantService } from './grant.service.js';
import { homePage } from './views/home.page.js';
import type { Visitor } from './views/person.panels.js';
import { scopePage } from './views/scope.page.js';

const HTML = 'text/html; charset=utf-8';

@Controller()
export class PagesController {
  constructor(
    private readonly grants: GrantService,
    private readonly clock: WechatClock,
  ) {}

  /** For everybody: whoever has signed in already is recognised, nobody is sent to WeChat. */
  @Get()
  @Header('Content-Type', HTML)
  @WechatAuth('userinfo', { optional: true })
  async home(@CurrentWechatUser() user: WechatUser | undefined): Promise<string> {
    return homePage(user && (await this.visitor(user)));
  }

  /** The openid is enough here. */
  @Get('base')
  @Header('Content-Type', HTML)
  @WechatAuth('base')
  async base(@CurrentWechatUser() user: WechatUser): Promise<string> {
    return scopePage('base', await this.visitor(user));
  }

  /** Nickname and avatar are needed here. */
  @Get('userinfo')
  @Header('Content-Type', HTML)
  @WechatAuth('userinfo')
  async userinfo(@CurrentWechatUser() user: WechatUser): Promise<string> {
    return scopePage('userinfo', await this.visitor(user));
  }

  /** For scripts: they get a 401 that says where to sign in, instead of a redirect they could not follow. */
  @Get('api/me')
  @WechatAuth('userinfo')
  me(@CurrentWechatUser() user: WechatUser): WechatUser {
    return user;
  }

  private async visitor(user: WechatUser): Promise<Visitor> {
    return { user, grant: await this.grants.find(user), now: this.clock.now() };
  }
}

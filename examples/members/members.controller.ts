import { Controller, Get } from '@nestjs/common';
import { CurrentWechatUser, WechatAuth, WechatPublic, type WechatUser } from 'nestjs-wechat-auth';
import { CurrentMember } from './current-member.decorator.js';
import type { Member } from './member.entity.js';

@Controller()
export class MembersController {
  /** The one page for everybody. */
  @Get()
  @WechatPublic()
  home(): string {
    return '欢迎光临！打开 /card 查看会员卡。';
  }

  /** No decorator: the global guard signs in silently, and the openid is enough to know the member. */
  @Get('card')
  card(@CurrentMember() { id, points }: Member): { id: number; points: number } {
    return { id, points };
  }

  /** Shows the nickname, which needs the user's consent. */
  @Get('badge')
  @WechatAuth('userinfo')
  badge(
    @CurrentMember() { id }: Member,
    @CurrentWechatUser() user: WechatUser,
  ): { id: number; nickname: string } {
    return { id, nickname: user.userInfo?.nickname ?? '会员' };
  }
}

import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';
import type { WechatUser } from 'nestjs-wechat-auth';
import type { Member } from './member.entity.js';
import { MemberService } from './member.service.js';

export interface MemberRequest {
  /** From WechatAuthGuard, which comes first. */
  wechatUser?: WechatUser;
  member?: Member;
}

/** Finds the member behind the user of WeChat, on every request: who is blocked now must not wait for a session's end. */
@Injectable()
export class MemberGuard implements CanActivate {
  constructor(private readonly members: MemberService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<MemberRequest>();
    const user = request.wechatUser;
    // A public route.
    if (!user) return true;
    if (user.snapshot) throw new ForbiddenException('请点击页面底部的“使用完整服务”。');
    // Not only found but linked: a session may be older than the table.
    const member = await this.members.link(user);
    if (member.isBlocked) throw new ForbiddenException('你的会员资格已停用。');
    request.member = member;
    return true;
  }
}

import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { WechatUser } from 'nestjs-wechat-auth';
import { Repository } from 'typeorm';
import { Member } from './member.entity.js';

const WELCOME_POINTS = 10;

@Injectable()
export class MemberService {
  constructor(@InjectRepository(Member) private readonly members: Repository<Member>) {}

  /** The member that this user of WeChat is, from now on if not before. However many ask at once, it is one row. */
  async link({ appId, openid }: WechatUser): Promise<Member> {
    const member = await this.members.findOneBy({ appId, openid });
    if (member) return member;
    // ON CONFLICT DO NOTHING: whoever comes second finds the row of whoever came first.
    await this.members.createQueryBuilder().insert().values({ appId, openid }).orIgnore().execute();
    return this.members.findOneByOrFail({ appId, openid });
  }

  /** Gives the points once: two browsers that sign in for the first time at once are both told that they are new. */
  async welcome({ id }: Member): Promise<void> {
    await this.members
      .createQueryBuilder()
      .update()
      .set({ points: () => `points + ${WELCOME_POINTS}`, isWelcomed: true })
      .where({ id, isWelcomed: false })
      .execute();
  }
}

import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { WechatScope, WechatUser } from 'nestjs-wechat-auth';
import { DataSource } from 'typeorm';

/** The columns of the module's table that a page may show. The tokens stay sealed in theirs. */
export interface Grant {
  appId: string;
  openid: string;
  pairScope: WechatScope;
  pairStatus: 'alive' | 'suspect' | 'dead';
  pairAbility: 'able' | 'unable' | 'unknown';
  accessTokenExpiresAt: Date;
  refreshTokenExpiresAt: Date;
  consentExpiresAt: Date | null;
}

/** Reads times and states out of the module's table. An application needs this only to show them, as here. */
@Injectable()
export class GrantService {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  find({ appId, openid }: WechatUser): Promise<Grant | null> {
    return this.dataSource.getRepository<Grant>('wechat_grant').findOne({
      select: {
        appId: true,
        openid: true,
        pairScope: true,
        pairStatus: true,
        pairAbility: true,
        accessTokenExpiresAt: true,
        refreshTokenExpiresAt: true,
        consentExpiresAt: true,
      },
      where: { appId, openid },
    });
  }
}

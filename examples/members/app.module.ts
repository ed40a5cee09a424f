import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  WechatAuthGuard,
  wechatAuthMigrations,
  WechatAuthModule,
  type WechatAuthOptions,
} from 'nestjs-wechat-auth';
import { CreateMemberTable1764200000000 } from './create-member-table.migration.js';
import { MemberGuard } from './member.guard.js';
import { MemberService } from './member.service.js';
import { MembersController } from './members.controller.js';
import { MembersModule } from './members.module.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      ...(process.env.DATABASE_URL !== undefined && { url: process.env.DATABASE_URL }),
      autoLoadEntities: true,
      migrations: [...wechatAuthMigrations, CreateMemberTable1764200000000],
      migrationsRun: true,
    }),
    // Account, public URL, keys and where WeChat is come from the environment.
    WechatAuthModule.forRootAsync({
      imports: [MembersModule],
      inject: [MemberService],
      useFactory: (members: MemberService): WechatAuthOptions => ({
        onSignIn: async (user, { isNewGrant }) => {
          const member = await members.link(user);
          // The user sees a page that says no; this text is for the log.
          if (member.isBlocked) throw new Error(`Member ${member.id} is blocked.`);
          if (isNewGrant) await members.welcome(member);
        },
      }),
    }),
    MembersModule,
  ],
  controllers: [MembersController],
  providers: [
    // In this order: first who it is at WeChat, then which member that is.
    { provide: APP_GUARD, useClass: WechatAuthGuard },
    { provide: APP_GUARD, useClass: MemberGuard },
  ],
})
export class AppModule {}

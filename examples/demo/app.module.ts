import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { wechatAuthMigrations, WechatAuthModule } from 'nestjs-wechat-auth';
import { GrantService } from './grant.service.js';
import { PagesController } from './pages.controller.js';

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      ...(process.env.DATABASE_URL !== undefined && { url: process.env.DATABASE_URL }),
      autoLoadEntities: true,
      migrations: wechatAuthMigrations,
      migrationsRun: true,
      retryAttempts: 0,
    }),
    // Account, public URL, keys and where WeChat is come from the environment.
    WechatAuthModule.forRoot({ consentText: '这个演示会在页面上显示你的微信头像和昵称，除此之外不作他用。' }),
  ],
  controllers: [PagesController],
  providers: [GrantService],
})
export class AppModule {}

import './document.environment.js';
import { Controller, Get, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  CurrentWechatUser,
  WechatAuth,
  wechatAuthMigrations,
  WechatAuthModule,
  type WechatUser,
} from '../../src/index.js';

@Controller()
class CardController {
  @Get('card')
  @WechatAuth('userinfo')
  card(@CurrentWechatUser() user: WechatUser): object {
    return { greeting: `你好，${user.userInfo?.nickname ?? '朋友'}` };
  }
}

/** The application whose tests the document shows. */
@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: 'postgres',
      url: process.env.DATABASE_URL,
      autoLoadEntities: true,
      migrations: [...wechatAuthMigrations],
      migrationsRun: true,
    }),
    WechatAuthModule.forRoot(),
  ],
  controllers: [CardController],
})
export class AppModule {}

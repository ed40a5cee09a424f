import { Controller, Get, Module } from '@nestjs/common';
import { CurrentWechatUser, WechatAuth, type WechatUser } from 'nestjs-wechat-auth';
import { AppModule } from './app.module';

@Controller()
class HelloController {
  @Get('hello')
  @WechatAuth('base')
  hello(@CurrentWechatUser() user: WechatUser) {
    return user;
  }
}

/** What the README shows has a userinfo route only; here is a base one beside it. */
@Module({ imports: [AppModule], controllers: [HelloController] })
export class HelloModule {}

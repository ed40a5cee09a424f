import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { Revocations } from '../../src/grants/revocations.js';
import { WechatAuthService, WechatPublic } from '../../src/index.js';
import type { TestInstance } from '../support/test-app.js';
import type { Visit, Visitor } from '../support/visitor.js';

export const stay = { follow: (): boolean => false };
export const untilCallback = {
  follow: (location: string): boolean => !location.includes('/wechat/callback'),
};

/** A host's own way to sign somebody out. */
@Controller()
export class GoodbyeController {
  constructor(@Inject(WechatAuthService) private readonly wechat: WechatAuthService) {}

  @Post('goodbye')
  @WechatPublic()
  async goodbye(@Req() request: unknown, @Res({ passthrough: true }) response: unknown): Promise<string> {
    await this.wechat.signOut(request, response);
    return 'goodbye';
  }
}

/** What the instance does every 30 seconds. */
export function poll({ app }: TestInstance): Promise<void> {
  return app.get(Revocations, { strict: false }).poll();
}

/** Whoever has got hold of a browser's cookies: a backup, a second phone, a thief. */
export function copyCookies(from: Visitor, to: Visitor, url: string): Visitor {
  for (const [name, value] of from.cookies(url)) to.cookies(url).set(name, value);
  return to;
}

export function signOut(visitor: Visitor, { url }: TestInstance): Promise<Visit> {
  return visitor.fetch(`${url}/wechat/sign-out`, { method: 'POST' });
}

/** Whether this is the page that invites to sign in, and nobody was signed in on the way to it. */
export function isInvitation({ status, body, trail }: Visit): boolean {
  const wasAtWechat = trail.some((url) => url.includes('/connect/oauth2/authorize'));
  return status === 403 && body.includes('你已退出登录') && !wasAtWechat;
}

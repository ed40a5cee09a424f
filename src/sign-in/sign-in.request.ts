import { Inject, Injectable } from '@nestjs/common';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS, type WechatPrompt } from '../common/options.js';
import type { PublicUrl } from '../common/public-url.js';
import type { WechatScope } from '../common/wechat-user.js';
import type { HttpExchange } from './http-exchange.js';
import { PublicUrls } from './public-urls.js';

/** A wish to have the user signed in: which account, how much, and where to go afterwards. */
export interface SignInRequest {
  appId: string;
  publicUrl: PublicUrl;
  goal: WechatScope;
  prompt: WechatPrompt;
  returnPath: string;
  /** Whether a person pressed a button for this. */
  asked: boolean;
  /** Whether the user is let in anyway, whatever comes of this. Never from an address. */
  renewal: boolean;
}

/** Writes sign-in requests into addresses of ours, and reads them back. */
@Injectable()
export class SignInRequests {
  constructor(
    @Inject(WECHAT_AUTH_OPTIONS) private readonly options: ResolvedWechatAuthOptions,
    @Inject(PublicUrls) private readonly publicUrls: PublicUrls,
  ) {}

  /** @returns what the query of `sign-in` or `consent` asks for; what is missing or unknown takes its default. */
  read(exchange: HttpExchange, publicUrl: PublicUrl): SignInRequest {
    const { accounts, prompt } = this.options;
    const account = accounts.find(({ appId }) => appId === exchange.query('account'));
    const promptGiven = exchange.query('prompt');
    return {
      appId: (account ?? accounts[0]).appId,
      publicUrl,
      goal: exchange.query('scope') === 'userinfo' ? 'userinfo' : 'base',
      prompt: promptGiven === 'explain' || promptGiven === 'direct' ? promptGiven : prompt,
      returnPath: this.publicUrls.checkedReturnPath(exchange.query('return_to'), publicUrl),
      asked: exchange.query('asked') === '1',
      renewal: false,
    };
  }

  /** @returns the address of `sign-in` or `consent` with this request; defaults are left out. */
  url(
    route: 'sign-in' | 'consent',
    request: Omit<SignInRequest, 'returnPath' | 'asked' | 'renewal'> & {
      returnPath?: string;
      asked?: boolean;
    },
  ): string {
    const { appId, publicUrl, goal, prompt, returnPath, asked } = request;
    return this.publicUrls.route(publicUrl, route, {
      scope: goal,
      account: appId === this.options.accounts[0].appId ? undefined : appId,
      prompt: prompt === this.options.prompt ? undefined : prompt,
      asked: asked ? '1' : undefined,
      return_to: returnPath,
    });
  }
}

import type { Abstract, INestApplication, Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { WechatRandomness } from '../common/randomness.js';
import { refuse } from './argument.refusal.js';

/** The WechatAuthModule of an application, part by part. */
export class ModuleParts {
  readonly options: ResolvedWechatAuthOptions;
  readonly clock: WechatClock;
  readonly randomness: WechatRandomness;
  private readonly providers: ModuleRef;

  /** @throws {WechatError} `invalid_argument` */
  constructor(readonly app: INestApplication) {
    // Nest tells this to nobody but its own classes.
    const { isInitialized } = app as { isInitialized?: boolean };
    if (isInitialized === false) {
      refuse('the application is not initialised. Call `await app.init()`, or listen, before.');
    }
    // Not app.get() for the rest: what NestFactory.create() made ends the process over an unknown provider.
    this.providers = app.get(ModuleRef);
    try {
      this.options = this.get<ResolvedWechatAuthOptions>(WECHAT_AUTH_OPTIONS);
    } catch (cause) {
      refuse(
        'the application does not import WechatAuthModule. Import WechatAuthModule.forRoot() in the module under ' +
          'test. If it does, the application and the test have each loaded a copy of nestjs-wechat-auth: look for ' +
          'jest.resetModules(), and for two versions in node_modules.',
        { cause },
      );
    }
    this.clock = this.get(WechatClock);
    this.randomness = this.get(WechatRandomness);
  }

  get<T>(token: Type<T> | Abstract<T> | symbol): T {
    return this.providers.get<T>(token, { strict: false });
  }
}

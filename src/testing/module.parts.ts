import type { Abstract, INestApplication, Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import { WechatClock } from '../common/clock.js';
import { type ResolvedWechatAuthOptions, WECHAT_AUTH_OPTIONS } from '../common/options.js';
import { WechatRandomness } from '../common/randomness.js';
import { WECHAT_DATA_SOURCE } from '../grants/data-source.token.js';
import { refuse } from './argument.refusal.js';

/** The WechatAuthModule of an application, part by part. */
export class ModuleParts {
  readonly options: ResolvedWechatAuthOptions;
  readonly clock: WechatClock;
  readonly randomness: WechatRandomness;
  readonly app: INestApplication;
  private readonly providers: ModuleRef;

  /**
   * @param app an application, as far as the test's compiler has seen to it.
   * @throws {WechatError} `invalid_argument`
   */
  constructor(app: unknown) {
    if (!isApplication(app)) {
      refuse('the first argument is no Nest application. Give what app.init() was called on.');
    }
    this.app = app;
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
    if (!this.get<DataSource>(WECHAT_DATA_SOURCE).isInitialized) {
      refuse('the application is closed. Sign in before `app.close()`, in `beforeEach` for example.');
    }
    this.clock = this.get(WechatClock);
    this.randomness = this.get(WechatRandomness);
  }

  get<T>(token: Type<T> | Abstract<T> | symbol): T {
    return this.providers.get<T>(token, { strict: false });
  }
}

function isApplication(app: unknown): app is INestApplication {
  return typeof (app as Partial<INestApplication> | null | undefined)?.get === 'function';
}

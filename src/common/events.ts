import { Inject, Injectable, Logger } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { WechatScope } from './wechat-user.js';

/** Whom an event is about. */
export interface WechatUserEvent {
  readonly appId: string;
  readonly openid: string;
}

/** Why a user's consent has ended. */
export type WechatConsentEnd =
  /** Its time is up. */
  | 'expired'
  /** WeChat has refused the profile to a pair that came with a consent. */
  | 'refused'
  /** WeChat has rejected the pair twice, five minutes apart. */
  | 'rejected'
  /** The application has asked for it: `WechatAuthService.requireConsent`. */
  | 'requested';

/** The events by their names, with what listeners are given. */
export interface WechatAuthEvents {
  /** A sign-in has completed. */
  'wechat.signed-in': WechatUserEvent & {
    readonly unionid?: string;
    readonly scope: WechatScope;
    readonly isNewGrant: boolean;
  };
  /** An access token was refreshed. */
  'wechat.refreshed': WechatUserEvent & { readonly accessTokenExpiresAt: Date };
  /** A consent ends soon: the user is asked again on a page of theirs. */
  'wechat.consent-due': WechatUserEvent & { readonly endsAt: Date };
  /** There is nothing left that could be kept alive: the user has to come to a userinfo page. */
  'wechat.consent-required': WechatUserEvent & { readonly reason: WechatConsentEnd };
  /** All that was stored of a user has been deleted. */
  'wechat.forgotten': WechatUserEvent;
  /** WeChat says that something about an account is wrong; no refresh is sent until it is mended. */
  'wechat.account-misconfigured': { readonly appId: string; readonly errcode: number | undefined };
}

export type WechatAuthEventName = keyof WechatAuthEvents;

/** What `@nestjs/event-emitter` provides, as far as it matters here. */
interface Emitter {
  emit(name: string, payload: unknown): unknown;
}

/**
 * Tells the host what has happened, through `EventEmitterModule` of `@nestjs/event-emitter` if the application imports
 * it: `@OnEvent('wechat.consent-due')`. Events are told after what they tell of is stored, at most once, and never keep
 * anybody waiting.
 */
@Injectable()
export class WechatEvents {
  private readonly logger = new Logger('WechatEvents');
  /** Undefined until it was looked for; null if there is none. */
  private emitter: Emitter | null | undefined;

  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  emit<Name extends WechatAuthEventName>(name: Name, payload: WechatAuthEvents[Name]): void {
    if (this.emitter === undefined) this.emitter = this.findEmitter();
    try {
      this.emitter?.emit(name, payload);
    } catch (error) {
      this.logger.error(
        `A listener of ${name} has failed: ${error instanceof Error ? error.message : String(error)}`,
        error instanceof Error ? error.stack : undefined,
      );
    }
  }

  /**
   * By names, so that nobody who does not use the package has to install it. What it exports as `EventEmitter2` calls
   * itself `EventEmitter`.
   */
  private findEmitter(): Emitter | null {
    for (const { metatype, providers } of this.modules.values()) {
      if (metatype.name !== 'EventEmitterModule') continue;
      for (const { name, instance } of providers.values()) {
        if (/^EventEmitter2?$/.test(String(name)) && isEmitter(instance)) return instance;
      }
    }
    return null;
  }
}

function isEmitter(value: unknown): value is Emitter {
  return typeof value === 'object' && value !== null && 'emit' in value && typeof value.emit === 'function';
}

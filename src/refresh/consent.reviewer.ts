import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { WechatEvents } from '../common/events.js';
import { ConsentRepository } from '../grants/consent.repository.js';

const BATCH = 500;

/** Marks the grants whose consent ends soon or has ended, and tells the host. */
@Injectable()
export class ConsentReviewer {
  constructor(
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(ConsentRepository) private readonly consents: ConsentRepository,
    @Inject(WechatEvents) private readonly events: WechatEvents,
  ) {}

  async review(): Promise<void> {
    for (;;) {
      const { looked, changes } = await this.consents.review(this.clock.now(), BATCH);
      for (const { appId, openid, notice, endsAt } of changes) {
        if (notice === 'due') this.events.emit('wechat.consent-due', { appId, openid, endsAt });
        else this.events.emit('wechat.consent-required', { appId, openid, reason: 'expired' });
      }
      if (looked < BATCH) return;
    }
  }
}

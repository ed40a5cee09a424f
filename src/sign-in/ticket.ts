import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import type { WechatPrompt } from '../common/options.js';
import { fromNumericDate, toNumericDate } from '../common/numeric-date.js';
import { Sealer } from '../common/sealer.js';
import type { WechatScope } from '../common/wechat-user.js';

/** How long a person may take between leaving for WeChat and coming back. */
const TICKET_LIFETIME_MS = 10 * 60 * 1000;

const AUDIENCE = 'callback';

/** What a sign-in must remember while the browser is at WeChat. It travels sealed, in the redirect URI. */
export interface SignInTicket {
  appId: string;
  /** What WeChat is asked for this time. */
  scope: WechatScope;
  /** What the sign-in is for in the end: a silent one may only be there to find out who is asking. */
  goal: WechatScope;
  prompt: WechatPrompt;
  /** The public URL that the sign-in started at. */
  publicUrlId: string;
  /** Where the browser goes in the end. */
  returnPath: string;
  /** Counts restarts, so that they end. The first try is 1. */
  attempt: number;
  /** Whether a person pressed a button for this. */
  asked: boolean;
  /** Whether the user is let in anyway, whatever comes of this. */
  renewal: boolean;
  issuedAt: Date;
}

@Injectable()
export class SignInTickets {
  constructor(
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(WechatClock) private readonly clock: WechatClock,
  ) {}

  seal(ticket: SignInTicket): string {
    const { issuedAt, ...rest } = ticket;
    return this.sealer.seal('ticket', AUDIENCE, { ...rest, iat: toNumericDate(issuedAt) });
  }

  /** @returns the ticket, also when it is too old; undefined if we have not sealed it. */
  open(sealed: string | undefined): SignInTicket | undefined {
    if (sealed === undefined) return undefined;
    try {
      const { iat, aud: _, ...rest } = this.sealer.open('ticket', AUDIENCE, sealed);
      return { ...rest, issuedAt: fromNumericDate(iat) } as SignInTicket;
    } catch {
      return undefined;
    }
  }

  isExpired(ticket: SignInTicket): boolean {
    return this.clock.now().getTime() >= ticket.issuedAt.getTime() + TICKET_LIFETIME_MS;
  }
}

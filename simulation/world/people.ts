import type { Agent } from 'undici';
import type { Counts } from '../counts.js';
import { InstanceFailure, InstanceGone } from '../instance/instance.process.js';
import type { WechatEmulator } from '../../src/emulator/index.js';
import type { Action } from '../plan/actions.js';
import type { Fleet } from './fleet.js';
import type { Observer } from './observer.js';
import { type Network, Phone } from './phone.js';

const MAX_PHONES = 2;

type ActionOf<Kind extends Action['kind']> = Extract<Action, { kind: Kind }>;

/** Does what the plan says of the users, and of the host about them. */
export class People {
  private readonly phones: readonly (readonly Phone[])[];

  constructor(
    private readonly wechat: WechatEmulator,
    private readonly fleet: Fleet,
    private readonly observer: Observer,
    private readonly counts: Counts,
    network: Network,
    agent: Agent,
  ) {
    this.phones = wechat.users.map(({ openid }) =>
      Array.from({ length: MAX_PHONES }, () => new Phone(openid, network, agent)),
    );
  }

  /** What users change at WeChat, where nobody else is told of it. */
  async change(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      if (action.kind !== 'change') continue;
      const openid = this.openidOf(action);
      if (action.change === 'password') {
        await this.wechat.user(openid).changePassword();
        this.counts.passwordChanges++;
        this.observer.note({ kind: 'act', openid, act: 'password-changed' });
      } else {
        await this.wechat.user(openid).withdrawConsent();
        this.counts.withdrawals++;
        this.observer.note({ kind: 'act', openid, act: 'consent-withdrawn' });
      }
    }
  }

  /** Everything else, at the moment when it comes. */
  async act(action: Action): Promise<void> {
    switch (action.kind) {
      case 'visit':
        return this.visit(action);
      case 'sign-out':
        return this.signOut(action);
      case 'lose-cookies':
        this.loseCookies(action);
        return;
      case 'job':
        return this.work(action);
      case 'change':
        return;
    }
  }

  private async visit(action: ActionOf<'visit'>): Promise<void> {
    const { scope, phone, manners } = action;
    const report = await this.phoneOf(action).visit(scope, manners);
    const { end, screens, openid: seenAs, sawWechat, last } = report;
    const { refuses } = manners;
    this.counts.visits++;
    if (screens.includes('consent')) {
      this.counts.consentScreens++;
      if (refuses) this.counts.refusals++;
    }
    const openid = this.openidOf(action);
    this.observer.note({
      kind: 'visit',
      openid,
      phone,
      scope,
      end,
      screens,
      seenAs,
      sawWechat,
      last,
      refuses,
    });
  }

  private async signOut(action: ActionOf<'sign-out'>): Promise<void> {
    const phone = this.phoneOf(action);
    if (!phone.hasSession) return;
    const isUncertain = !(await phone.signOut());
    const openid = this.openidOf(action);
    this.observer.note({ kind: 'act', openid, act: 'signed-out', phone: action.phone, isUncertain });
  }

  private loseCookies(action: ActionOf<'lose-cookies'>): void {
    this.phoneOf(action).forgetCookies();
    const { phone } = action;
    this.observer.note({ kind: 'act', openid: this.openidOf(action), act: 'cookies-lost', phone });
  }

  private async work(action: ActionOf<'job'>): Promise<void> {
    const { job, instance } = action;
    const openid = this.openidOf(action);
    try {
      if (job === 'token') {
        const accessToken = await this.fleet.ask(instance, 'accessToken', openid);
        this.counts.tokensServed++;
        this.observer.note({ kind: 'served', openid, instance, accessToken });
      } else if (job === 'user-info') {
        await this.fleet.ask(instance, 'userInfo', openid);
      } else if (job === 'forget') {
        await this.fleet.ask(instance, 'forget', openid);
        this.observer.note({ kind: 'act', openid, act: 'forgotten' });
      } else {
        await this.fleet.ask(instance, 'requireConsent', openid);
        this.observer.note({ kind: 'act', openid, act: 'consent-required' });
      }
    } catch (error) {
      this.noteFailure(error, action);
    }
  }

  private noteFailure(error: unknown, action: ActionOf<'job'>): void {
    const { job, instance } = action;
    const openid = this.openidOf(action);
    if (error instanceof InstanceGone) {
      if (!this.observer.collector.wasKilled(instance)) return;
      if (job === 'forget') this.observer.note({ kind: 'act', openid, act: 'forgotten', isUncertain: true });
      if (job === 'require-consent') {
        this.observer.note({ kind: 'act', openid, act: 'consent-required', isUncertain: true });
      }
      return;
    }
    if (!(error instanceof InstanceFailure)) throw error;
    const { name, code, reason, message } = error.failure;
    this.observer.noteOutput('an error', message);
    const text = `${name} (${code ?? ''}${reason === undefined ? '' : `, ${reason}`})`;
    this.observer.note({ kind: 'not-served', openid, instance, error: text });
  }

  private openidOf({ user }: { user: number }): string {
    const known = this.wechat.users[user];
    if (!known) throw new Error(`There is no user ${String(user)}.`);
    return known.openid;
  }

  private phoneOf({ user, phone }: { user: number; phone: number }): Phone {
    const known = this.phones[user]?.[phone];
    if (!known) throw new Error(`User ${String(user)} has no phone ${String(phone)}.`);
    return known;
  }
}

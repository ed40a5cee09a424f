import type { SeededRandom } from './seeded.random.js';
import type { Balancer } from './balancer.js';
import type { Fleet, Member } from './fleet.js';

/**
 * At what an instance is when it is killed:
 * - `callback`: it has just been sent a callback
 * - `call`: a handler or job of it asks for tokens that have ended
 * - `any`: at whatever it is
 * - `start`: it has just been started
 */
export const AIMS = ['callback', 'call', 'any', 'callback', 'call', 'any', 'start'] as const;
export type Aim = (typeof AIMS)[number];

/** What passes between the event that is aimed at and the kill, at the most, in milliseconds. */
const SPREAD_MS: Readonly<Record<Aim, number>> = { callback: 160, call: 120, any: 600, start: 1_500 };

/** An instance, and when it is to die. */
export interface Aimed {
  /** Undefined: the instance that is starting. */
  readonly victim: Promise<Member | undefined>;
  /** From then on, in milliseconds of real time. */
  readonly delayMs: number;
}

/** Call it before the load begins. */
export function takeAim(aim: Aim, random: SeededRandom, fleet: Fleet, balancer: Balancer<Member>): Aimed {
  const drawn = random.oneOf(fleet.serving);
  const delayMs = random.fraction() * SPREAD_MS[aim];
  const victim = {
    callback: () => balancer.next('/wechat/callback'),
    call: () => Promise.resolve(drawn),
    any: () => Promise.resolve(drawn),
    start: () => Promise.resolve(undefined),
  }[aim]();
  return { victim, delayMs };
}

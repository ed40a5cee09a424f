import type { WechatEmulatorFault } from '../../src/emulator/index.js';
import { DAY_MS, HOUR_MS, MINUTE_MS, STEP_MS } from '../model/times.js';
import type { Action, RotationStage, StepPlan, Trouble } from './actions.js';
import { Dice } from './dice.js';

export const INSTANCES = 3;
const STEPS_PER_DAY = DAY_MS / STEP_MS;

/** The API; the authorization page is of another house, and stays up. */
const API = ['token', 'refresh', 'userinfo', 'auth'] as const;

/** What a user is like. */
interface Habits {
  phones: number;
  visitsPerDay: number;
  /** How often it is a page that needs the profile. */
  userinfoShare: number;
  /** From this day on the user does not come back. */
  leavesOnDay: number;
}

/** The stages of a key rotation, by the share of the time that is over by then. */
const ROTATION: readonly (readonly [number, RotationStage])[] = [
  [0.3, 'add'],
  [0.36, 'promote'],
  [0.4, 're-seal'],
  [0.5, 'retire'],
];

/** How often a day things happen, to one user. */
const PER_DAY = {
  passwordChanges: 1 / 40,
  withdrawals: 1 / 40,
  signOuts: 1 / 40,
  lostCookies: 1 / 40,
  tokenJobs: 0.4,
  userInfoJobs: 0.2,
  requiredConsents: 1 / 90,
  forgotten: 1 / 200,
};

/** How often a day things go wrong, for all. */
const TROUBLES_PER_DAY = { kills: 0.4, outages: 1 / 6, quotas: 1 / 2, flaws: 1 / 3 };

/** Who does what when, and what goes wrong: all of it follows from the seed, whatever comes of it. */
export class Plan {
  private readonly habits: readonly Habits[];
  private readonly dice: Dice;
  private readonly rotations: ReadonlyMap<number, RotationStage>;
  private day = -1;
  private actions = new Map<number, Action[]>();
  private troubles = new Map<number, Trouble[]>();

  constructor(
    private readonly users: number,
    days: number,
    seed: string,
  ) {
    const dice = new Dice(`${seed}/habits`);
    this.habits = Array.from({ length: users }, () => ({
      phones: dice.chance(0.3) ? 2 : 1,
      visitsPerDay: dice.pick([0.1, 0.3, 0.6, 1.5]),
      userinfoShare: dice.pick([0, 0.5, 0.8, 1]),
      leavesOnDay: dice.chance(0.25) ? dice.below(days) : days,
    }));
    this.dice = new Dice(`${seed}/days`);
    this.rotations = new Map(
      ROTATION.map(([share, stage]) => [Math.floor(share * days * STEPS_PER_DAY), stage]),
    );
  }

  /** Call it for one step after the other. */
  step(index: number): StepPlan {
    const day = Math.floor(index / STEPS_PER_DAY);
    if (day !== this.day) this.planDay(day);
    const { dice } = this;
    const sweepers = Array.from({ length: INSTANCES }, (_, number) => number).filter(() => dice.chance(0.4));
    return {
      actions: withoutClashes(this.actions.get(index) ?? []),
      troubles: this.troubles.get(index) ?? [],
      rotation: this.rotations.get(index),
      sweepers: sweepers.length > 0 ? sweepers : [dice.below(INSTANCES)],
      housekeeper: index % (HOUR_MS / STEP_MS) === 0 ? dice.below(INSTANCES) : undefined,
    };
  }

  private planDay(day: number): void {
    this.day = day;
    this.actions = new Map();
    this.troubles = new Map();
    for (let user = 0; user < this.users; user++) this.planUser(user, day);
    this.planTroubles(day);
  }

  private planUser(user: number, day: number): void {
    const habits = this.habits[user];
    if (!habits) return;
    const { dice } = this;
    const times = (mean: number, act: (step: number) => void): void => {
      for (let left = dice.about(mean); left > 0; left--) {
        act(day * STEPS_PER_DAY + dice.below(STEPS_PER_DAY));
      }
    };
    const phone = (): number => dice.below(habits.phones);
    if (day < habits.leavesOnDay) {
      times(habits.visitsPerDay, (step) => this.planVisits(user, habits, step));
      times(PER_DAY.signOuts, (step) => this.add(step, { kind: 'sign-out', user, phone: phone() }));
      times(PER_DAY.lostCookies, (step) => this.add(step, { kind: 'lose-cookies', user, phone: phone() }));
    }
    times(PER_DAY.passwordChanges, (step) => this.add(step, { kind: 'change', user, change: 'password' }));
    times(PER_DAY.withdrawals, (step) => this.add(step, { kind: 'change', user, change: 'withdrawal' }));
    const jobs = [
      ['token', PER_DAY.tokenJobs],
      ['user-info', PER_DAY.userInfoJobs],
      ['require-consent', PER_DAY.requiredConsents],
      ['forget', PER_DAY.forgotten],
    ] as const;
    for (const [job, mean] of jobs) {
      times(mean, (step) => this.add(step, { kind: 'job', user, job, instance: dice.below(INSTANCES) }));
    }
  }

  /** On one phone, or on two at the same moment. */
  private planVisits(user: number, habits: Habits, step: number): void {
    const { dice } = this;
    const both = habits.phones > 1 && dice.chance(0.3);
    const first = dice.below(habits.phones);
    for (const phone of both ? [0, 1] : [first]) {
      this.add(step, {
        kind: 'visit',
        user,
        phone,
        scope: dice.chance(habits.userinfoShare) ? 'userinfo' : 'base',
        manners: {
          refuses: dice.chance(0.1),
          leaves: dice.chance(0.03),
          doublesCallback: dice.chance(0.03),
        },
      });
    }
  }

  private planTroubles(day: number): void {
    const { dice } = this;
    const at = (mean: number, make: () => Trouble): void => {
      for (let left = dice.about(mean); left > 0; left--) {
        const step = day * STEPS_PER_DAY + dice.below(STEPS_PER_DAY);
        this.troubles.set(step, [...(this.troubles.get(step) ?? []), make()]);
      }
    };
    at(TROUBLES_PER_DAY.kills, () => ({
      kind: 'kill',
      instance: dice.below(INSTANCES),
      afterAnswers: dice.below(4),
      stepsAway: 1 + dice.below(12),
    }));
    at(TROUBLES_PER_DAY.outages, () => this.fault('outage', { status: 502 }, 1, 3 * HOUR_MS));
    at(TROUBLES_PER_DAY.quotas, () =>
      this.fault('quota', { errcode: 45011 }, 1, dice.below(25) * MINUTE_MS + MINUTE_MS),
    );
    at(TROUBLES_PER_DAY.flaws, () =>
      this.fault(
        'flaw',
        dice.pick<WechatEmulatorFault>([{ errcode: -1 }, { cut: true }, { status: 504 }]),
        0.3,
        HOUR_MS,
      ),
    );
  }

  private fault(
    name: 'outage' | 'quota' | 'flaw',
    fault: WechatEmulatorFault,
    share: number,
    durationMs: number,
  ): Trouble {
    return { kind: 'fault', name, endpoints: API, fault, share, durationMs };
  }

  private add(step: number, action: Action): void {
    this.actions.set(step, [...(this.actions.get(step) ?? []), action]);
  }
}

/**
 * What ends something of a user's happens alone, so that it is known what came before it. Of the rest anything may
 * come at the same moment, but one browser opens one page.
 */
function withoutClashes(actions: readonly Action[]): Action[] {
  const busy = new Set<string>();
  const ending = new Set<number>();
  const claim = (name: string): boolean => !busy.has(name) && Boolean(busy.add(name));
  const isEnding = (action: Action): boolean =>
    !(action.kind === 'visit' || (action.kind === 'job' && ['token', 'user-info'].includes(action.job)));
  const endings = actions.filter((action) => isEnding(action) && claim(`user ${String(action.user)}`));
  for (const { user } of endings) ending.add(user);
  const others = actions.filter((action) => {
    if (isEnding(action) || ending.has(action.user)) return false;
    return action.kind !== 'visit' || claim(`${String(action.user)} ${String(action.phone)}`);
  });
  return [...endings, ...others];
}

import type { WechatEmulatorEndpoint, WechatEmulatorFault } from '../../src/emulator/index.js';
import type { Scope } from '../model/facts.js';
import type { Manners } from '../world/phone.js';

/** What somebody does, or what happens, in one step. Users are known by their number. */
export type Action =
  | { kind: 'visit'; user: number; phone: number; scope: Scope; manners: Manners }
  /** What changes things at WeChat, at once. */
  | { kind: 'change'; user: number; change: 'password' | 'withdrawal' }
  | { kind: 'sign-out'; user: number; phone: number }
  | { kind: 'lose-cookies'; user: number; phone: number }
  /** What the host does about a user, at one instance. */
  | {
      kind: 'job';
      user: number;
      job: 'token' | 'user-info' | 'require-consent' | 'forget';
      instance: number;
    };

/** Something that goes wrong. */
export type Trouble =
  | {
      kind: 'fault';
      endpoints: readonly WechatEmulatorEndpoint[];
      fault: WechatEmulatorFault;
      share: number;
      durationMs: number;
      name: 'outage' | 'quota' | 'flaw';
    }
  /** SIGKILL, when so many answers of WeChat's have gone to the instance in the step; a new one comes after some steps. */
  | { kind: 'kill'; instance: number; afterAnswers: number; stepsAway: number };

/** What happens to the sealing keys, on every instance. */
export type RotationStage = 'add' | 'promote' | 're-seal' | 'retire';

export interface StepPlan {
  readonly actions: readonly Action[];
  readonly troubles: readonly Trouble[];
  readonly rotation: RotationStage | undefined;
  /** Which instances sweep in this step, all at once. */
  readonly sweepers: readonly number[];
  /** Of which instance housekeeping is asked. */
  readonly housekeeper: number | undefined;
}

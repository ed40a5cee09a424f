import type { WechatConfigurationProblem } from '../common/errors.js';

/** A command cannot go on, for a reason that whoever typed it can mend. */
export class CommandFailure extends Error {
  readonly problem: string;
  readonly cure: string;
  /** Whether the command line itself is wrong: exit code 2 instead of 1. */
  readonly isWrongUsage: boolean;

  constructor({ problem, cure }: WechatConfigurationProblem, { isWrongUsage = false } = {}) {
    super(`${problem}\n${cure}`);
    this.name = 'CommandFailure';
    this.problem = problem;
    this.cure = cure;
    this.isWrongUsage = isWrongUsage;
  }
}

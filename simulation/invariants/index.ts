import { ConsentScreens } from './consent-screens.js';
import { DeadTokens } from './dead-tokens.js';
import { DoubleRefreshes } from './double-refreshes.js';
import { DueMarks } from './due-marks.js';
import type { Invariant } from './invariant.js';
import { NeedlessRefreshes } from './needless-refreshes.js';
import { NothingLost } from './nothing-lost.js';
import { WrongMarks } from './wrong-marks.js';

/** Everything that must hold of what happens in a phase; secrets are looked for in each text as it comes. */
export function allInvariants(): Invariant[] {
  return [
    new DeadTokens(),
    new ConsentScreens(),
    new DueMarks(),
    new WrongMarks(),
    new DoubleRefreshes(),
    new NeedlessRefreshes(),
    new NothingLost(),
  ];
}

import type { Phase } from '../model/facts.js';
import type { Model } from '../model/model.js';
import { factsOf, type Finding, instant, type Invariant } from './invariant.js';

/** Nothing is refreshed that nobody has a use for: a pair that cannot read the profile, or a consent that has ended. */
export class NeedlessRefreshes implements Invariant {
  readonly name = 'no refresh for nothing';

  check(phase: Phase, known: Model): Finding[] {
    return factsOf(phase, 'answer').flatMap(({ endpoint, openid, pair: id, instance }) => {
      if (endpoint !== 'refresh') return [];
      const pair = known.pair(id);
      const { consent, pair: current, isConsentUncertain } = known.user(openid);
      const seen = `a refresh by instance ${String(instance)}`;
      if (pair?.refusedAtMs !== undefined && !isConsentUncertain) {
        const expected = `to leave a pair alone that WeChat has refused the profile to, at ${instant(pair.refusedAtMs)}`;
        return { openid, expected, seen };
      }
      if (pair === current && consent?.endedAtMs !== undefined && !isConsentUncertain) {
        const expected = `to leave a pair alone whose consent has ended at ${instant(consent.endedAtMs)}`;
        return { openid, expected, seen };
      }
      if (pair?.scope === 'base' && !pair.hadConsent && !pair.mayHaveHadConsent) {
        return { openid, expected: 'to leave the pair of a silent sign-in alone', seen };
      }
      return [];
    });
  }
}

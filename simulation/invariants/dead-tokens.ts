import type { Phase, ServedFact } from '../model/facts.js';
import type { Model } from '../model/model.js';
import { CONSENT_MS, MINUTE_MS, TOLERANCE_MS } from '../model/times.js';
import { factsOf, type Finding, instant, type Invariant } from './invariant.js';

/** No job is given a token of which an answer of WeChat's had told us already that it is dead, or will be in a moment. */
export class DeadTokens implements Invariant {
  readonly name = 'no dead token served';

  check(phase: Phase, known: Model): Finding[] {
    return factsOf(phase, 'served').flatMap((served) => {
      const seen = this.faultOf(served, phase, known);
      if (seen === undefined) return [];
      return {
        openid: served.openid,
        expected: 'an access token that is alive as far as we were told',
        seen,
      };
    });
  }

  private faultOf({ openid, accessToken }: ServedFact, phase: Phase, known: Model): string | undefined {
    // Given out while the job was asking.
    if (
      factsOf(phase, 'answer').some((answer) => answer.accessToken === accessToken && answer.outcome === 'ok')
    ) {
      return undefined;
    }
    const { pair, endsAtMs = NaN } = known.token(accessToken) ?? {};
    const user = known.user(openid);
    if (pair?.openid !== openid) return 'a token that WeChat has never given out for this user';
    if (user.possiblePairs.size === 1 && user.pair !== pair) {
      return `a token of a pair of ${instant(pair.issuedAtMs)}, which a later sign-in has replaced`;
    }
    const [rejectedAtMs] = pair.rejectedAtMs;
    if (rejectedAtMs !== undefined) {
      return `a token of a pair that WeChat has rejected at ${instant(rejectedAtMs)}`;
    }
    const endedAtMs = user.consent?.endedAtMs;
    if (endedAtMs !== undefined && !user.isConsentUncertain) {
      return `a token, although the consent has ended at ${instant(endedAtMs)}`;
    }
    if (
      user.consent &&
      !user.isConsentUncertain &&
      phase.atMs > user.consent.atMs + CONSENT_MS + TOLERANCE_MS
    ) {
      return `a token, although the consent of ${instant(user.consent.atMs)} is over`;
    }
    if (accessToken !== pair.accessToken && accessToken !== pair.unconfirmedAccessToken) {
      return 'a token that a refresh has replaced';
    }
    if (phase.atMs > endsAtMs - MINUTE_MS + TOLERANCE_MS) {
      return `a token that ends at ${instant(endsAtMs)}, in less than a minute`;
    }
    return undefined;
  }
}

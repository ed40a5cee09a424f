/** What there was in a run. */
export interface Counts {
  visits: number;
  signIns: number;
  consentScreens: number;
  refusals: number;
  refreshes: number;
  tokensServed: number;
  passwordChanges: number;
  withdrawals: number;
  kills: number;
  outages: number;
  quotas: number;
  flaws: number;
  rotations: number;
}

export function noCounts(): Counts {
  return {
    visits: 0,
    signIns: 0,
    consentScreens: 0,
    refusals: 0,
    refreshes: 0,
    tokensServed: 0,
    passwordChanges: 0,
    withdrawals: 0,
    kills: 0,
    outages: 0,
    quotas: 0,
    flaws: 0,
    rotations: 0,
  };
}

import type {
  CodeRecord,
  ConsentRecord,
  LedgerEntries,
  PendingConsent,
  TokenPair,
} from './emulator.state.js';

const keyOf = (appId: string, openid: string): string => `${appId} ${openid}`;

/** Consents, codes and tokens, found by what requests name them by. */
export class Ledger {
  readonly consents = new Map<string, ConsentRecord>();
  readonly pending = new Map<string, PendingConsent>();
  readonly codes = new Map<string, CodeRecord>();
  private readonly pairs = new Map<string, TokenPair>();
  private readonly pairsByAccessToken = new Map<string, TokenPair>();
  private readonly pairsByRefreshToken = new Map<string, TokenPair>();

  constructor(entries?: LedgerEntries) {
    entries?.consents.forEach((consent) => {
      this.addConsent(consent);
    });
    entries?.pending.forEach((pending) => this.pending.set(pending.uuid, pending));
    entries?.codes.forEach((code) => this.codes.set(code.code, code));
    entries?.pairs.forEach((pair) => {
      this.putPair(pair);
    });
  }

  entries(): LedgerEntries {
    return {
      consents: [...this.consents.values()],
      pending: [...this.pending.values()],
      codes: [...this.codes.values()],
      pairs: [...this.pairs.values()],
    };
  }

  consent(appId: string, userId: string): ConsentRecord | undefined {
    return this.consents.get(keyOf(appId, userId));
  }

  addConsent(consent: ConsentRecord): void {
    this.consents.set(keyOf(consent.appId, consent.userId), consent);
  }

  removeConsent(appId: string, userId: string): void {
    this.consents.delete(keyOf(appId, userId));
  }

  pairOfAccessToken(accessToken: string): TokenPair | undefined {
    return this.pairsByAccessToken.get(accessToken);
  }

  pairOfRefreshToken(refreshToken: string): TokenPair | undefined {
    return this.pairsByRefreshToken.get(refreshToken);
  }

  /** @returns the pairs of one user at all apps, without those of virtual users. */
  pairsOfUser(userId: string): TokenPair[] {
    return [...this.pairs.values()].filter((pair) => pair.userId === userId && !pair.snapshot);
  }

  /**
   * Makes this the one pair of its app and openid. The former one is forgotten altogether: WeChat answers for a
   * token that is no longer the latest as it does for one that never was.
   */
  putPair(pair: TokenPair): void {
    const key = keyOf(pair.appId, pair.openid);
    const former = this.pairs.get(key);
    if (former) {
      this.pairsByAccessToken.delete(former.accessToken);
      this.pairsByRefreshToken.delete(former.refreshToken);
    }
    this.pairs.set(key, pair);
    this.pairsByAccessToken.set(pair.accessToken, pair);
    this.pairsByRefreshToken.set(pair.refreshToken, pair);
  }

  /** Forgets codes and consent pages older than `beforeMs`; both are kept in the order they came. */
  forgetBefore(beforeMs: number): void {
    dropWhile(this.codes, ({ issuedAtMs }) => issuedAtMs < beforeMs);
    dropWhile(this.pending, ({ shownAtMs }) => shownAtMs < beforeMs);
  }
}

function dropWhile<Value>(map: Map<string, Value>, isOld: (value: Value) => boolean): void {
  for (const [key, value] of map) {
    if (!isOld(value)) {
      return;
    }
    map.delete(key);
  }
}

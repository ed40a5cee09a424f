import type { Entry, TokenPair, WireScope } from './emulator.state.js';

const ROWS = 8_192;
/** Numbers in a row: see {@link EntryTable.put}. */
const WIDTH = 9;

const SCOPES: readonly WireScope[] = ['snsapi_base', 'snsapi_userinfo', 'snsapi_login'];
const SNAPSHOT = 4;
const HAS_PAIR = 8;
const PASSWORD_CHANGED = 16;
const CONSENT_WITHDRAWN = 32;

/** Rows side by side. Typed arrays, since a million objects would take three times the memory. */
class Chunk {
  readonly numbers = new Float64Array(ROWS * WIDTH);
  readonly appIds: string[] = [];
  readonly openids: string[] = [];
  readonly userIds: string[] = [];
}

/** All entries, by their numbers. What is read from it is a copy: a change is not there before it is put back. */
export class EntryTable {
  private readonly chunks: Chunk[] = [];
  private rows: number;

  /** @param firstNumber the number of the first row; numbers below it belonged to former tables. */
  constructor(
    readonly firstNumber: number,
    rows = 0,
  ) {
    this.rows = rows;
  }

  get length(): number {
    return this.rows;
  }

  /** The number that a new entry takes. */
  get nextNumber(): number {
    return this.firstNumber + this.rows;
  }

  put({ number, appId, openid, userId, snapshot, serial, consentedAtMs = NaN, pair }: Entry): void {
    const index = number - this.firstNumber;
    this.rows = Math.max(this.rows, index + 1);
    const chunk = (this.chunks[Math.floor(index / ROWS)] ??= new Chunk());
    const row = index % ROWS;
    chunk.appIds[row] = appId;
    chunk.openids[row] = openid;
    chunk.userIds[row] = userId;
    const { numbers } = chunk;
    let at = row * WIDTH;
    numbers[at++] = (snapshot ? SNAPSHOT : 0) | (pair ? flagsOf(pair) : 0);
    numbers[at++] = serial;
    numbers[at++] = consentedAtMs;
    if (!pair) return;
    numbers[at++] = pair.accessSerial;
    numbers[at++] = pair.accessMonth;
    numbers[at++] = pair.accessExpiresAtMs;
    numbers[at++] = pair.refreshSerial;
    numbers[at++] = pair.refreshMonth;
    numbers[at] = pair.refreshExpiresAtMs;
  }

  /** @returns undefined for a number that nothing was put under. */
  get(number: number): Entry | undefined {
    const index = number - this.firstNumber;
    const row = index % ROWS;
    const chunk = this.chunks[Math.floor(index / ROWS)];
    const openid = chunk?.openids[row];
    if (!chunk || openid === undefined) return undefined;
    const from = row * WIDTH;
    const [flags = 0, serial = 0, consentedAtMs, ...pair] = chunk.numbers.subarray(from, from + WIDTH);
    return {
      number,
      appId: chunk.appIds[row] ?? '',
      openid,
      userId: chunk.userIds[row] ?? '',
      snapshot: (flags & SNAPSHOT) !== 0,
      serial,
      consentedAtMs: Number.isNaN(consentedAtMs) ? undefined : consentedAtMs,
      pair: flags & HAS_PAIR ? pairOf(flags, pair) : undefined,
    };
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let number = this.firstNumber; number < this.nextNumber; number++) {
      const entry = this.get(number);
      if (entry) yield entry;
    }
  }
}

function flagsOf({ scope, passwordChanged, consentWithdrawn }: TokenPair): number {
  return (
    SCOPES.indexOf(scope) |
    HAS_PAIR |
    (passwordChanged ? PASSWORD_CHANGED : 0) |
    (consentWithdrawn ? CONSENT_WITHDRAWN : 0)
  );
}

function pairOf(flags: number, numbers: readonly number[]): TokenPair {
  const [accessSerial = 0, accessMonth = 0, accessExpiresAtMs = 0] = numbers;
  const [, , , refreshSerial = 0, refreshMonth = 0, refreshExpiresAtMs = 0] = numbers;
  return {
    scope: SCOPES[flags & 3] ?? 'snsapi_base',
    accessSerial,
    accessMonth,
    accessExpiresAtMs,
    refreshSerial,
    refreshMonth,
    refreshExpiresAtMs,
    passwordChanged: (flags & PASSWORD_CHANGED) !== 0,
    consentWithdrawn: (flags & CONSENT_WITHDRAWN) !== 0,
  };
}

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
    const at = row * WIDTH;
    numbers[at] = (snapshot ? SNAPSHOT : 0) | (pair ? flagsOf(pair) : 0);
    numbers[at + 1] = serial;
    numbers[at + 2] = consentedAtMs;
    if (!pair) return;
    numbers[at + 3] = pair.accessSerial;
    numbers[at + 4] = pair.accessMonth;
    numbers[at + 5] = pair.accessExpiresAtMs;
    numbers[at + 6] = pair.refreshSerial;
    numbers[at + 7] = pair.refreshMonth;
    numbers[at + 8] = pair.refreshExpiresAtMs;
  }

  /** @returns undefined for a number that nothing was put under. */
  get(number: number): Entry | undefined {
    const index = number - this.firstNumber;
    const row = index % ROWS;
    const chunk = this.chunks[Math.floor(index / ROWS)];
    const openid = chunk?.openids[row];
    if (!chunk || openid === undefined) return undefined;
    const { numbers } = chunk;
    const at = row * WIDTH;
    const flags = numbers[at] ?? 0;
    const consentedAtMs = numbers[at + 2] ?? NaN;
    return {
      number,
      appId: chunk.appIds[row] ?? '',
      openid,
      userId: chunk.userIds[row] ?? '',
      snapshot: (flags & SNAPSHOT) !== 0,
      serial: numbers[at + 1] ?? 0,
      consentedAtMs: Number.isNaN(consentedAtMs) ? undefined : consentedAtMs,
      pair: flags & HAS_PAIR ? pairAt(numbers, at) : undefined,
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

/** Not by destructuring: a typed array's iterator would be a good part of what a call takes. */
function pairAt(numbers: Float64Array, at: number): TokenPair {
  const flags = numbers[at] ?? 0;
  return {
    scope: SCOPES[flags & 3] ?? 'snsapi_base',
    accessSerial: numbers[at + 3] ?? 0,
    accessMonth: numbers[at + 4] ?? 0,
    accessExpiresAtMs: numbers[at + 5] ?? 0,
    refreshSerial: numbers[at + 6] ?? 0,
    refreshMonth: numbers[at + 7] ?? 0,
    refreshExpiresAtMs: numbers[at + 8] ?? 0,
    passwordChanged: (flags & PASSWORD_CHANGED) !== 0,
    consentWithdrawn: (flags & CONSENT_WITHDRAWN) !== 0,
  };
}

import { ChangedMap } from './changed.map.js';
import type {
  CodeRecord,
  Entry,
  LedgerEntries,
  PendingConsent,
  Subject,
  TokenPair,
} from './emulator.state.js';
import { EntryTable } from './entry.table.js';
import { type TokenKind, type TokenMint } from './token.mint.js';

/** What a token that was presented turned out to be. */
export type FoundToken =
  /** It is the latest one of its entry. */
  | { kind: 'latest'; entry: Entry; pair: TokenPair }
  /** It was given out, and a later one has replaced it. */
  | { kind: 'superseded'; entry: Entry }
  | { kind: 'unknown' };

/** Who has what at which app, found by what requests name it by. */
export class Ledger {
  readonly pending = new ChangedMap<PendingConsent>();
  readonly codes = new ChangedMap<CodeRecord>();
  private readonly entries: EntryTable;
  private readonly numbersByOpenid = new Map<string, number>();
  /** Whether anybody wants to know which entries have changed: to note it takes time and memory under load. */
  isWatched = false;
  private readonly changedEntries = new Set<number>();

  /** @param kept what an earlier ledger held, or the number that entries begin with. */
  constructor(
    private readonly mint: TokenMint,
    kept: number | LedgerEntries = 0,
  ) {
    if (typeof kept === 'number') {
      this.entries = new EntryTable(kept);
      return;
    }
    this.entries = new EntryTable(kept.firstEntry, kept.entryCount);
    for (const entry of kept.entries) this.put(entry);
    for (const pending of kept.pending) this.pending.set(pending.uuid, pending);
    for (const code of kept.codes) this.codes.set(code.code, code);
  }

  /** The number of an entry that comes next; also after a reset no number comes twice, and so no token. */
  get nextEntry(): number {
    return this.entries.nextNumber;
  }

  kept(): LedgerEntries {
    return {
      firstEntry: this.entries.firstNumber,
      entryCount: this.entries.length,
      entries: [...this.entries],
      pending: [...this.pending.values()],
      codes: [...this.codes.values()],
      gone: [],
    };
  }

  /** Whether {@link changes} tells of any. */
  get hasChanged(): boolean {
    return this.changedEntries.size + this.pending.changed.size + this.codes.changed.size > 0;
  }

  /** @returns what has changed since {@link forgetChanges}. */
  changes(): LedgerEntries {
    return {
      firstEntry: this.entries.firstNumber,
      entryCount: this.entries.length,
      entries: [...this.changedEntries].flatMap((number) => this.entries.get(number) ?? []),
      pending: this.pending.changedValues(),
      codes: this.codes.changedValues(),
      gone: [...this.pending.goneKeys(), ...this.codes.goneKeys()],
    };
  }

  forgetChanges(): void {
    this.changedEntries.clear();
    this.pending.changed.clear();
    this.codes.changed.clear();
  }

  /** openids differ from app to app, so one is enough to find the entry. It is a copy: see {@link put}. */
  find(openid: string): Entry | undefined {
    const number = this.numbersByOpenid.get(openid);
    return number === undefined ? undefined : this.entries.get(number);
  }

  /** @returns the entry of this user at this app, a new one if there is none yet. */
  entryOf(appId: string, { openid, userId, snapshot }: Subject): Entry {
    return (
      this.find(openid) ?? {
        number: this.nextEntry,
        appId,
        openid,
        userId,
        snapshot,
        serial: 0,
        consentedAtMs: undefined,
        pair: undefined,
      }
    );
  }

  /** Keeps an entry as it is now. */
  put(entry: Entry): void {
    this.entries.put(entry);
    this.numbersByOpenid.set(entry.openid, entry.number);
    if (this.isWatched) this.changedEntries.add(entry.number);
  }

  /** Keeps a code as used. */
  useUp(record: CodeRecord): void {
    record.used = true;
    this.codes.set(record.code, record);
  }

  /** @returns the text of one of an entry's tokens. */
  tokenText(kind: TokenKind, { number }: Entry, pair: TokenPair): string {
    const [serial, month] =
      kind === 'access' ? [pair.accessSerial, pair.accessMonth] : [pair.refreshSerial, pair.refreshMonth];
    return this.mint.text(kind, { entry: number, serial, month });
  }

  findToken(kind: TokenKind, text: string): FoundToken {
    const mark = this.mint.read(kind, text);
    const entry = mark && this.entries.get(mark.entry);
    if (!entry?.pair) return { kind: 'unknown' };
    const latest = kind === 'access' ? entry.pair.accessSerial : entry.pair.refreshSerial;
    return mark?.serial === latest
      ? { kind: 'latest', entry, pair: entry.pair }
      : { kind: 'superseded', entry };
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

import type {
  CodeRecord,
  Entry,
  LedgerEntries,
  PendingConsent,
  Subject,
  TokenPair,
} from './emulator.state.js';
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
  readonly pending = new Map<string, PendingConsent>();
  readonly codes = new Map<string, CodeRecord>();
  private readonly entries: (Entry | undefined)[] = [];
  private readonly byOpenid = new Map<string, Entry>();
  private readonly firstEntry: number;

  /** @param kept what an earlier ledger held. */
  constructor(
    private readonly mint: TokenMint,
    kept: number | LedgerEntries = 0,
  ) {
    this.firstEntry = typeof kept === 'number' ? kept : kept.firstEntry;
    if (typeof kept === 'number') return;
    for (const pending of kept.pending) this.pending.set(pending.uuid, pending);
    for (const code of kept.codes) this.codes.set(code.code, code);
    this.entries.length = kept.entryCount;
    for (const entry of kept.entries) {
      this.entries[entry.number - this.firstEntry] = entry;
      this.byOpenid.set(entry.openid, entry);
    }
  }

  /** The number of an entry that comes next; also after a reset no number comes twice, and so no token. */
  get nextEntry(): number {
    return this.firstEntry + this.entries.length;
  }

  kept(): LedgerEntries {
    return {
      firstEntry: this.firstEntry,
      entryCount: this.entries.length,
      entries: this.entries.filter((entry) => entry !== undefined),
      pending: [...this.pending.values()],
      codes: [...this.codes.values()],
    };
  }

  /** openids differ from app to app, so one is enough to find the entry. */
  find(openid: string): Entry | undefined {
    return this.byOpenid.get(openid);
  }

  /** @returns the entry of this user at this app, a new one if there is none yet. */
  entryOf(appId: string, { openid, userId, snapshot }: Subject): Entry {
    let entry = this.byOpenid.get(openid);
    if (!entry) {
      entry = {
        openid,
        userId,
        snapshot,
        number: this.nextEntry,
        appId,
        serial: 0,
        consentedAtMs: undefined,
        pair: undefined,
      };
      this.entries.push(entry);
      this.byOpenid.set(openid, entry);
    }
    return entry;
  }

  /** @returns the text of one of an entry's tokens. */
  tokenText(kind: TokenKind, { number }: Entry, pair: TokenPair): string {
    const [serial, month] =
      kind === 'access' ? [pair.accessSerial, pair.accessMonth] : [pair.refreshSerial, pair.refreshMonth];
    return this.mint.text(kind, { entry: number, serial, month });
  }

  findToken(kind: TokenKind, text: string): FoundToken {
    const mark = this.mint.read(kind, text);
    const entry = mark && this.entries[mark.entry - this.firstEntry];
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

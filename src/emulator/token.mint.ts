/** Which of the two tokens of a pair. */
export type TokenKind = 'access' | 'refresh';

/** What tells one token from all others of its kind. */
export interface TokenMark {
  /** The number of the entry that the token belongs to. */
  entry: number;
  /** Counts the tokens that this entry was given. */
  serial: number;
  /** The number at the beginning of the text. */
  month: number;
}

const TEXT_LENGTH = 110;
/** Six bits in each character. */
const ALPHABET = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 'latin1');
const SIX_BITS = new Uint8Array(128).map((_, code) => Math.max(0, ALPHABET.indexOf(code)));
/** How many characters hold the 32 bits of the entry, and of the serial. */
const NUMBER_LENGTH = 6;
const LAST_MONTH = 9_999;
const MONTH_MS = 30.44 * 86_400_000;

/**
 * Makes the texts of tokens: 110 characters, the first of them a number that grows by about one a month.
 *
 * A text follows from the seed and the mark, and the mark can be read in it, so the emulator keeps three numbers for a
 * token and not its text: a million users would not fit in half a gigabyte otherwise. It looks random and is not: no
 * secret hangs on an emulated token, and a cryptographic hash would be most of what a call takes.
 */
export class TokenMint {
  private readonly seed: number;
  /** The text that is being made, and the month at its beginning, which seldom changes. */
  private readonly draft = Buffer.alloc(TEXT_LENGTH);
  private draftMonth = NaN;
  private draftStart = 0;

  constructor(seed: string) {
    this.seed = Buffer.from(seed).reduce(mix, 0);
  }

  /** @returns the number that tokens of that time begin with. */
  static monthOf(nowMs: number): number {
    return Math.min(LAST_MONTH, Math.max(10, 83 + Math.floor((nowMs - Date.UTC(2024, 7, 1)) / MONTH_MS)));
  }

  text(kind: TokenKind, mark: TokenMark): string {
    this.write(kind, mark);
    return this.draft.toString('latin1');
  }

  /** @returns undefined for a text that this mint did not make for this kind of token. */
  read(kind: TokenKind, text: string): TokenMark | undefined {
    if (text.length !== TEXT_LENGTH) return undefined;
    const start = text.indexOf('_') + 1;
    const mark = {
      month: Number(text.slice(0, start - 1)),
      entry: readNumber(text, start),
      serial: readNumber(text, start + NUMBER_LENGTH),
    };
    if (!Number.isInteger(mark.month) || mark.month > LAST_MONTH) return undefined;
    return this.text(kind, mark) === text ? mark : undefined;
  }

  private write(kind: TokenKind, { entry, serial, month }: TokenMark): void {
    const { draft } = this;
    if (month !== this.draftMonth) {
      this.draftMonth = month;
      this.draftStart = draft.write(`${String(month)}_`, 'latin1');
    }
    const start = this.draftStart;
    // The rest first: the mark is hidden behind it.
    let state = mix(mix(mix(mix(this.seed, kind === 'access' ? 1 : 2), month), entry), serial);
    for (let at = start + 2 * NUMBER_LENGTH; at < TEXT_LENGTH; at += 5) {
      state = mix(state, at);
      for (let place = at, bits = state; place < at + 5 && place < TEXT_LENGTH; place++, bits >>>= 6) {
        draft[place] = ALPHABET[bits & 63] ?? 0;
      }
    }
    this.writeNumber(entry, start);
    this.writeNumber(serial, start + NUMBER_LENGTH);
  }

  private writeNumber(number: number, start: number): void {
    for (let place = 0, bits = number; place < NUMBER_LENGTH; place++, bits >>>= 6) {
      this.draft[start + place] = ALPHABET[(bits & 63) ^ maskAt(this.draft[start + place + 40])] ?? 0;
    }
  }
}

function readNumber(text: string, start: number): number {
  let number = 0;
  for (let place = NUMBER_LENGTH - 1; place >= 0; place--) {
    const bits =
      (SIX_BITS[text.charCodeAt(start + place)] ?? 0) ^ maskAt(text.charCodeAt(start + place + 40));
    number = number * 64 + bits;
  }
  return number;
}

/** So that the tokens of one user do not look like each other, nor like a part of themselves. */
function maskAt(code = 0): number {
  return ((SIX_BITS[code] ?? 0) * 29 + 17) & 63;
}

/** A step of MurmurHash3. @see https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp */
function mix(state: number, value: number): number {
  let block = Math.imul(value, 0xcc9e2d51);
  block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
  let mixed = state ^ block;
  mixed = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

import { createHash } from 'node:crypto';

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
const FORM = /^([1-9]\d{1,3})_([\w-]{11})([\w-]+)$/;
const MARK_BYTES = 8;
const TAG_BYTES = 75;
const MONTH_MS = 30.44 * 86_400_000;

/**
 * Makes the texts of tokens: 110 characters, the first of them a number that grows by about one a month.
 *
 * A text follows from the seed and the mark, and the mark can be read in it, so the emulator keeps three numbers for a
 * token and not its text: a million users would not fit in half a gigabyte otherwise.
 */
export class TokenMint {
  constructor(private readonly seed: string) {}

  /** @returns the number that tokens of that time begin with. */
  static monthOf(nowMs: number): number {
    return Math.max(10, 83 + Math.floor((nowMs - Date.UTC(2024, 7, 1)) / MONTH_MS));
  }

  text(kind: TokenKind, { entry, serial, month }: TokenMark): string {
    const prefix = `${String(month)}_`;
    const tag = createHash('shake256', { outputLength: TAG_BYTES })
      .update(`${this.seed}\n${kind} ${prefix} ${String(entry)} ${String(serial)}`)
      .digest();
    const mark = Buffer.alloc(MARK_BYTES);
    mark.writeUInt32BE(entry, 0);
    mark.writeUInt32BE(serial, 4);
    // So that the tokens of one user do not look like each other.
    const hidden = combine(mark, tag);
    return (prefix + hidden.toString('base64url') + tag.toString('base64url')).slice(0, TEXT_LENGTH);
  }

  /** @returns undefined for a text that this mint did not make for this kind of token. */
  read(kind: TokenKind, text: string): TokenMark | undefined {
    const [, month, hidden = '', tag = ''] = FORM.exec(text) ?? [];
    if (month === undefined) return undefined;
    const bytes = combine(Buffer.from(hidden, 'base64url'), Buffer.from(tag, 'base64url'));
    if (bytes.length < MARK_BYTES) return undefined;
    const mark = { entry: bytes.readUInt32BE(0), serial: bytes.readUInt32BE(4), month: Number(month) };
    return this.text(kind, mark) === text ? mark : undefined;
  }
}

/** Does and undoes itself. The mask is mixed, so that it does not show where the mark is all zeros. */
function combine(bytes: Buffer, tag: Buffer): Buffer {
  const byteOf = (place: number): number => tag[place] ?? 0;
  return Buffer.from(
    bytes
      .subarray(0, MARK_BYTES)
      .map((byte, place) => byte ^ (byteOf(place) * 167 + byteOf(place + MARK_BYTES))),
  );
}

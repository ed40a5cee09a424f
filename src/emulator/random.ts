import { createHash } from 'node:crypto';

/**
 * A stream of bytes that is the same for the same seed. Its place in the stream can be saved, so that a restarted
 * emulator never gives out a code or token twice. Not for secrets.
 */
export class SeededRandom {
  private block: Buffer = Buffer.alloc(0);
  private place = 0;

  constructor(
    readonly seed: string,
    private blocksDrawn = 0,
  ) {}

  /** How many blocks have been drawn: with the seed, all there is to save. */
  get position(): number {
    return this.blocksDrawn;
  }

  /** @returns `length` characters of `alphabet`, which has at most 64. */
  text(length: number, alphabet: string): string {
    let text = '';
    while (text.length < length) {
      // Six bits at a time, and what lies beyond the alphabet is dropped, so every character is equally likely.
      text += alphabet.charAt(this.byte() & 63);
    }
    return text;
  }

  /** @returns a number from 0 up to, but not including, 1. */
  fraction(): number {
    return (this.byte() * 2 ** 16 + this.byte() * 2 ** 8 + this.byte()) / 2 ** 24;
  }

  private byte(): number {
    if (this.place === this.block.length) {
      this.block = createHash('sha256')
        .update(`${this.seed}\n${String(this.blocksDrawn)}`)
        .digest();
      this.blocksDrawn += 1;
      this.place = 0;
    }
    return this.block.readUInt8(this.place++);
  }
}

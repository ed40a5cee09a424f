/** Chance that can be repeated: the same seed, the same draws. */
export class SeededRandom {
  constructor(private state: number) {}

  /** @returns a number from 0 up to, but not, 1. @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @returns a whole number from 0 up to, but not, `end`. */
  below(end: number): number {
    return Math.floor(this.fraction() * end);
  }

  /** @returns one of these, of which there is one at least. */
  oneOf<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value;
  }

  /** @returns so many of these, each once; all where there are fewer. */
  some<Value>(values: readonly Value[], count: number): Value[] {
    const left = [...values];
    const drawn: Value[] = [];
    while (drawn.length < count && left.length > 0) drawn.push(...left.splice(this.below(left.length), 1));
    return drawn;
  }
}

import { SeededRandom } from '../../src/emulator/random.js';

/** Chance that is the same for the same seed. */
export class Dice {
  private readonly random: SeededRandom;

  constructor(seed: string) {
    this.random = new SeededRandom(seed);
  }

  /** @returns a whole number from 0 up to, but not including, `count`. */
  below(count: number): number {
    return Math.floor(this.random.fraction() * count);
  }

  /** @returns true in so many cases of one. */
  chance(share: number): boolean {
    return this.random.fraction() < share;
  }

  /** @returns a whole number that is `mean` on average. */
  about(mean: number): number {
    const whole = Math.floor(mean);
    return whole + (this.chance(mean - whole) ? 1 : 0);
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }
}

import { describe, expect, it } from '@jest/globals';
import { SystemRandomness } from '../../src/common/randomness.js';

describe('SystemRandomness', () => {
  it.each([0, 1, 12, 16, 32, 4096, 4097, 10_000])('gives %d bytes', (size) => {
    expect(new SystemRandomness().bytes(size)).toHaveLength(size);
  });

  it('gives nothing twice, over many fillings of its pool', () => {
    const randomness = new SystemRandomness();
    const seen = new Set(Array.from({ length: 5_000 }, () => randomness.bytes(12).toString('hex')));
    expect(seen.size).toBe(5_000);
  });

  it('gives bytes that later ones do not change, and that change no later ones', () => {
    const randomness = new SystemRandomness();
    const first = randomness.bytes(3_000);
    const copy = Buffer.from(first);
    const second = randomness.bytes(3_000);
    expect(first.equals(copy)).toBe(true);
    first.fill(0);
    second.fill(0);
    expect(randomness.bytes(3_000).includes(Buffer.alloc(16))).toBe(false);
  });
});

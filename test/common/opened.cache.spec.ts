import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { OpenedCache } from '../../src/common/opened.cache.js';
import { SystemRandomness } from '../../src/common/randomness.js';
import { Sealer } from '../../src/common/sealer.js';

const CAPACITY = 100;
const HERE = 'here';

interface Content {
  index: number;
}

describe('what sealed texts have opened to', () => {
  const sealer = new Sealer([{ kid: 'k1', secret: randomBytes(32) }], new SystemRandomness());
  const sealed = Array.from({ length: 10 * CAPACITY }, (_, index) => sealer.seal('session', HERE, { index }));

  function filled(count: number): OpenedCache<Content> {
    const cache = new OpenedCache<Content>(CAPACITY);
    sealed.slice(0, count).forEach((text, index) => cache.set(HERE, text, { index }));
    return cache;
  }

  it('is known again by the whole text', () => {
    const cache = filled(3);
    const text = sealed[2]!;
    expect(cache.get(HERE, text)).toEqual({ index: 2 });
    expect(cache.get(HERE, sealed[3]!)).toBeUndefined();
    expect(cache.get(HERE, '')).toBeUndefined();
    for (const changed of [text.slice(1), `A${text}`, `${text}A`, `${text}=`, ` ${text}`, text.slice(-22)]) {
      expect(cache.get(HERE, changed)).toBeUndefined();
    }
    for (let place = 0; place < text.length; place++) {
      const other = text[place] === 'A' ? 'B' : 'A';
      expect(cache.get(HERE, text.slice(0, place) + other + text.slice(place + 1))).toBeUndefined();
    }
    expect(cache.get(HERE, text)).toEqual({ index: 2 });
  });

  it('is known in the place for which it was sealed, and in no other', () => {
    const cache = filled(1);
    expect(cache.get('elsewhere', sealed[0]!)).toBeUndefined();
    expect(cache.get('', sealed[0]!)).toBeUndefined();
    expect(cache.get(HERE, sealed[0]!)).toEqual({ index: 0 });
  });

  it('is known also where the text was cut out of a longer one', () => {
    const cache = new OpenedCache<Content>(CAPACITY);
    const header = `first=${sealed[0]!}; second=${sealed[1]!}`;
    const start = header.indexOf(sealed[0]!);
    cache.set(HERE, header.slice(start, start + sealed[0]!.length), { index: 0 });
    expect(cache.get(HERE, sealed[0]!)).toEqual({ index: 0 });
  });

  it('never grows beyond the capacity, and the latest half of that is kept for certain', () => {
    const cache = filled(sealed.length);
    const kept = sealed.flatMap((text) => cache.get(HERE, text)?.index ?? []);
    expect(kept.length).toBeLessThanOrEqual(CAPACITY);
    expect(kept.slice(-CAPACITY / 2)).toEqual(
      Array.from({ length: CAPACITY / 2 }, (_, index) => sealed.length - CAPACITY / 2 + index),
    );
  });

  it('is kept while it is asked for again and again, whatever else comes by', () => {
    const cache = new OpenedCache<Content>(CAPACITY);
    const [regular = '', ...others] = sealed;
    cache.set(HERE, regular, { index: 0 });
    others.forEach((text, index) => {
      cache.set(HERE, text, { index: index + 1 });
      expect(cache.get(HERE, regular)).toEqual({ index: 0 });
    });
  });
});

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const here = import.meta.dirname;
const text = readFileSync(resolve(here, '../../docs/testing.md'), 'utf8');
const shown = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) =>
  // A document cannot import the application of whoever reads it.
  code.replace(/^declare class .*\n\n/gm, ''),
);

/** A test that has run, as its author would write it outside of this package. */
function exampleIn(file: string): string {
  return readFileSync(resolve(here, file), 'utf8')
    .replace(/^.*\/\/ not in the document\n/gm, '')
    .replace(/'..\/..\/src\/index.js'/g, "'nestjs-wechat-auth'")
    .replace(/'..\/..\/src\/(\w+)\/index.js'/g, "'nestjs-wechat-auth/$1'");
}

describe('the page about testing', () => {
  it.each(['document.express.spec.ts', 'document.fastify.spec.ts', 'document.emulator.spec.ts'])(
    'shows to the letter what runs in %s',
    (file) => {
      expect(shown).toContain(exampleIn(file));
    },
  );
});

import { homedir, tmpdir } from 'node:os';
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { manifest, read, shippedFiles } from './tarball.js';

const code = shippedFiles.filter((file) => /\.(js|d\.ts)$/.test(file));
const documents = shippedFiles.filter((file) => file.endsWith('.md'));

/** Whatever a file imports, by every way there is. */
function importsOf(file: string): string[] {
  const { importedFiles, referencedFiles, typeReferenceDirectives } = ts.preProcessFile(
    read(file),
    true,
    true,
  );
  return [...importedFiles, ...referencedFiles, ...typeReferenceDirectives].map(({ fileName }) => fileName);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

describe('the tarball', () => {
  it('holds exactly the files that are listed', () => {
    // If a file is new or gone for good: npm run test:package -- contents --updateSnapshot
    expect(`\n${shippedFiles.join('\n')}\n`).toMatchSnapshot();
  });

  it('names no place of the machine that it was made on', () => {
    const places = [resolve(import.meta.dirname, '../..'), `${homedir()}/`, `${tmpdir()}/`, 'file://'];
    const named = shippedFiles.flatMap((file) =>
      places.filter((place) => read(file).includes(place)).map((place) => `${file}: ${place}`),
    );
    expect(named).toEqual([]);
  });

  it('holds every file that another one of it imports', () => {
    const missing = code.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => posix.join(posix.dirname(file), specifier))
        .map((target) => (file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target))
        .filter((target) => !shippedFiles.includes(target))
        .map((target) => `${file}: ${target}`),
    );
    expect(missing).toEqual([]);
  });

  it('imports only what it declares, and declares no dependency that it does not import', () => {
    const imported = new Set(code.flatMap(importsOf).filter((name) => !name.startsWith('.')));
    const packages = [...imported].filter((name) => !name.startsWith('node:')).map(packageOf);
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect(packages).not.toEqual([]);
    expect(packages.filter((name) => !declared.includes(name))).toEqual([]);
    expect(Object.keys(manifest.dependencies).filter((name) => !packages.includes(name))).toEqual([]);
    // Without `node:`, a package of that name could come in between.
    expect(packages.filter((name) => builtinModules.includes(name))).toEqual([]);
  });

  it('links only to files that come with it', () => {
    const links = documents.flatMap((document) =>
      [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, target = '']) => ({
        document,
        target: posix.join(posix.dirname(document), target),
      })),
    );
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter(({ target }) => !shippedFiles.includes(target))).toEqual([]);
  });
});

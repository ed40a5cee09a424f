import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Manifest {
  name: string;
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/** Made by the set-up of the run. */
export const tarball = setUp('PACKED_TARBALL');
const contents = setUp('PACKED_CONTENTS');

/** The path of every shipped file, sorted. */
export const shippedFiles: readonly string[] = readdirSync(contents, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(contents.length + 1))
  .sort();

export const manifest = JSON.parse(read('package.json')) as Manifest;

/** What a host may import: the package by its name, and its subpaths. */
export const entryPoints: readonly string[] = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== './package.json')
  .map((subpath) => manifest.name + subpath.slice(1));

export function read(file: string): string {
  return readFileSync(join(contents, file), 'utf8');
}

function setUp(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Run these tests with \`npm run test:package\`.`);
  return value;
}

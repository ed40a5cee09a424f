import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import startDatabase from '../support/global-setup.mjs';
import teardown from './global-teardown.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** What the build reads, and what npm ships from the root unasked; the rest of it is listed in package.json. */
const SOURCES = [
  ...['package.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', 'src', 'migrations'],
  ...['README.md', 'LICENSE'],
];

/** A database server, and the package packed once for all test files: the tarball, and the same unpacked. */
export default async function setup() {
  await startDatabase();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'packed-'));
  globalThis.__packedFolder = folder;
  try {
    process.env.PACKED_TARBALL = pack(folder);
  } catch (error) {
    // Jest calls the teardown only after a set-up that succeeded.
    await teardown();
    throw error;
  }
  process.env.PACKED_CONTENTS = path.join(folder, 'package');
}

/** Packs a copy of the sources, so that the build beside them stays as it is, and nothing left over gets in. */
function pack(folder) {
  const copy = path.join(folder, 'sources');
  const { files } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
  for (const name of [...SOURCES, ...files.filter((name) => !name.startsWith('dist/'))]) {
    fs.cpSync(path.join(ROOT, name), path.join(copy, name), { recursive: true });
  }
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'));
  run('npm', ['pack', '--silent', '--pack-destination', folder], copy);
  const tarball = path.join(
    folder,
    fs.readdirSync(folder).find((name) => name.endsWith('.tgz')),
  );
  run('tar', ['-xzf', tarball], folder);
  return tarball;
}

function run(command, args, cwd) {
  try {
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed:\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

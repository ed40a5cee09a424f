// Type-checks and tests the sources on the oldest versions that the peer ranges of the package promise.
// Arguments are handed on to Jest: node run.mjs test/sign-in --json --outputFile=/tmp/nest11.json
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, '../..');
/** Beside node_modules, so that what the sources import is looked for there first. */
const COPY = path.join(HERE, 'copy');

/** Not copied, wherever they lie: what is installed, built or recorded. */
const PRODUCTS = new Set(['.git', '.demo', 'node_modules', 'dist', 'coverage']);
/** Not copied either: no part of `npm test`. */
const LEFT_OUT = {
  bench: 'it measures, and tests nothing',
  simulation: 'it plays out long stories, and tests nothing',
  'test/simulation': 'it runs that',
  'test/browser': 'it needs a browser, and is run by a configuration of its own',
  'test/support/browser.ts': 'it starts that browser',
  'test/package': 'it installs the packed package, and is run by a configuration of its own',
  'test/foreign': 'it sets clients of others on the emulator, and neither is made with Nest',
};

const readJson = (...file) => JSON.parse(fs.readFileSync(path.join(...file), 'utf8'));
const promised = readJson(ROOT, 'package.json');
const own = readJson(HERE, 'package.json');

/** The version a range begins with: 1.2.3 of `^1.2.3 || ^2.0.0`. */
const floorOf = (range) => /\d+\.\d+\.\d+/.exec(range)?.[0];

function installed(name) {
  try {
    return readJson(HERE, 'node_modules', name, 'package.json').version;
  } catch {
    return 'missing';
  }
}

/** What keeps a green run from proving what the package promises. */
function complaints() {
  const found = [];
  for (const [name, range] of Object.entries(promised.peerDependencies)) {
    const version = installed(name);
    if (version !== floorOf(range)) found.push(`${name} is ${version} here, and the peer range is ${range}`);
  }
  // The rest is the same as in the root, so that nothing but the peers and their siblings makes a difference.
  const inRoot = { ...promised.devDependencies, ...promised.dependencies };
  for (const [name, range] of Object.entries(own.devDependencies)) {
    if (installed(name) === 'missing') found.push(`${name} is missing: run npm ci in ${HERE}`);
    if (name in promised.peerDependencies || name.startsWith('@nestjs/')) continue;
    if (inRoot[name] !== range) found.push(`${name} is ${range} here, and ${inRoot[name]} in the root`);
  }
  return found;
}

function copyTree(from, to) {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    if (source === COPY || PRODUCTS.has(entry.name) || path.relative(ROOT, source) in LEFT_OUT) continue;
    if (entry.isDirectory()) copyTree(source, path.join(to, entry.name));
    else fs.copyFileSync(source, path.join(to, entry.name));
  }
}

const node = (args, options) =>
  spawnSync(process.execPath, args, { cwd: COPY, encoding: 'utf8', ...options });

function typeChecks(project) {
  const { stdout, stderr, status } = node(
    [path.join(HERE, 'node_modules/typescript/bin/tsc'), '--project', project, '--listFiles'],
    { stdio: 'pipe', maxBuffer: Infinity },
  );
  const lines = (stdout + stderr).split('\n').filter(Boolean);
  const complaints = lines.filter((line) => !path.isAbsolute(line));
  // Where a package has no types here, the compiler goes up and takes those of the root, and nobody would notice.
  const rootPackages = path.join(ROOT, 'node_modules') + path.sep;
  const strange = lines.filter((line) => line.startsWith(rootPackages));
  const names = new Set(strange.map((file) => /^(@[^/]+\/)?[^/]+/.exec(file.slice(rootPackages.length))[0]));
  for (const name of names) complaints.push(`${name} has no types here; those of the root were taken`);
  const passed = status === 0 && complaints.length === 0;
  console.log([`== type check of ${project}: ${passed ? 'passed' : 'FAILED'}`, ...complaints].join('\n'));
  return passed;
}

function testsPass() {
  const { status } = node(
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      path.join(HERE, 'node_modules/jest/bin/jest.js'),
      `--resolver=${path.join(HERE, 'own-packages.resolver.mjs')}`,
      ...process.argv.slice(2),
    ],
    { stdio: 'inherit' },
  );
  return status === 0;
}

console.log(`Node.js ${process.version}, and of what the host brings:`);
for (const name of Object.keys(own.devDependencies)) {
  if (name in promised.peerDependencies || name.startsWith('@nestjs/'))
    console.log(`  ${name} ${installed(name)}`);
}
for (const [what, why] of Object.entries(LEFT_OUT)) console.log(`Left out: ${what}, since ${why}.`);

const wrong = complaints();
for (const line of wrong) console.error(line);
if (wrong.length > 0) process.exit(1);

fs.rmSync(COPY, { recursive: true, force: true });
copyTree(ROOT, COPY);
const passed = [typeChecks('tsconfig.json'), typeChecks('examples/tsconfig.json'), testsPass()];
process.exitCode = passed.every(Boolean) ? 0 : 1;

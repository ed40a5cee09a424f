import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PackageInfo } from '../package.info.js';
import { error, type Finding, notChecked, ok, warning } from './finding.js';

/** Stands for the version of a package whose package.json is damaged. */
const UNREADABLE = '';

/** Node.js, and the packages that the host brings. */
export function checkVersions(
  { engines, peerDependencies }: PackageInfo,
  folder: string,
  nodeVersion: string,
): Finding[] {
  const findings = [checkNode(nodeVersion, engines.node)];
  const installed = Object.entries(peerDependencies).map(([name, range]) => ({
    name,
    range,
    version: installedVersion(name, folder),
  }));
  if (installed.every(({ version }) => version === undefined)) {
    findings.push(
      notChecked(
        'versions',
        "the application's packages",
        `since none are installed for ${folder}; run doctor in its folder`,
      ),
    );
    return findings;
  }
  const good: string[] = [];
  for (const { name, range, version } of installed) {
    if (version === UNREADABLE) {
      findings.push(error('versions', `${name} cannot be read.`, `Install it again: npm install ${name}`));
    } else if (version === undefined) {
      findings.push(error('versions', `${name} is not installed.`, `Run: npm install ${name}`));
    } else if (isInRange(version, range)) {
      good.push(`${name} ${version}`);
    } else {
      findings.push(
        warning(
          'versions',
          `${name} ${version} is not a version that this module is made for (${range}).`,
          `Install one that is: npm install "${name}@${range}"`,
        ),
      );
    }
  }
  if (good.length > 0) findings.push(ok('versions', `${good.join(', ')}.`));
  return findings;
}

function checkNode(version: string, range: string): Finding {
  const least = range.replace('>=', '');
  return compare(numbersOf(version), numbersOf(least)) >= 0
    ? ok('versions', `Node.js ${version}.`)
    : error('versions', `Node.js ${version} is too old.`, `Install ${least} or newer.`);
}

/** Where Node.js would find it from the application's folder. */
function installedVersion(name: string, folder: string): string | undefined {
  for (let place = folder; ; place = dirname(place)) {
    const file = join(place, 'node_modules', name, 'package.json');
    if (existsSync(file)) return versionIn(file);
    if (place === dirname(place)) return undefined;
  }
}

/** An installation that broke off leaves empty files. */
function versionIn(file: string): string {
  try {
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : UNREADABLE;
  } catch {
    return UNREADABLE;
  }
}

/** For ranges as peerDependencies have them: `^11.0.0 || ^12.0.0`. */
function isInRange(version: string, range: string): boolean {
  const found = numbersOf(version);
  return range.split('||').some((alternative) => {
    const least = numbersOf(alternative.replace('^', ''));
    // ^0.3.0 takes 0.3.x alone, ^1.0.0 all of 1.x.
    const fixed = least[0] === 0 ? 2 : 1;
    return compare(found.slice(0, fixed), least.slice(0, fixed)) === 0 && compare(found, least) >= 0;
  });
}

function numbersOf(version: string): number[] {
  return version
    .trim()
    .split(/[.-]/)
    .slice(0, 3)
    .map((part) => Number.parseInt(part, 10) || 0);
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

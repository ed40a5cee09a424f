import type { Problems } from './settings.reader.js';

/**
 * Finds options that do not exist: a mistyped one would be left out in silence.
 *
 * @param place what the options belong to, for example `session`; undefined for the module's own.
 */
export function checkOptionNames(
  place: string | undefined,
  values: Readonly<Record<string, unknown>>,
  known: readonly string[],
  problems: Problems,
): void {
  for (const name of unknownNames(values, known)) {
    const near = nearestName(name, known);
    const prefix = place === undefined ? '' : `${place}.`;
    problems.add(
      `${prefix}${name} is not an option of this module.`,
      near === undefined
        ? `Take it away. The options ${place === undefined ? '' : `of ${place} `}are: ${known.join(', ')}.`
        : `Did you mean ${prefix}${near}?`,
    );
  }
}

export function unknownNames(values: Readonly<Record<string, unknown>>, known: readonly string[]): string[] {
  return Object.keys(values).filter((name) => values[name] !== undefined && !known.includes(name));
}

/** @returns the known name that was probably meant: it differs by little, or goes on where this one ends (`maxAge`). */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const written = plain(name);
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: distanceFrom(written, plain(candidate)) }))
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(written.length / 4)))
    .sort((a, b) => a.distance - b.distance);
  return nearest?.candidate;
}

function distanceFrom(written: string, candidate: string): number {
  return written.length > 2 && candidate.startsWith(written) ? 0 : editDistance(written, candidate);
}

/** Case, dashes and underscores are what habits differ in. */
function plain(name: string): string {
  return name.slice(0, 64).replace(/[-_]/g, '').toLowerCase();
}

/** How many characters have to be added, taken away or replaced (Levenshtein). */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 0; row < from.length; row++) {
    const current = [row + 1];
    for (let column = 0; column < to.length; column++) {
      const replaced = (previous[column] ?? 0) + (from[row] === to[column] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}

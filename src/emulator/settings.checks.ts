import { WechatEmulatorError } from './emulator.errors.js';

/** @returns a sentence of what is wrong with the value of that name, and what it may be; undefined if nothing is. */
export type Check = (value: unknown, name: string) => string | undefined;

export const aBoolean = checked((value) => typeof value === 'boolean', 'give true or false');

export const aText = checked((value) => typeof value === 'string', 'give a text');

/** Any text that has a place in an address: half of a surrogate pair has none. */
export const anOpenid = checked(
  (value) => typeof value === 'string' && !/\p{Surrogate}/u.test(value),
  'give a text of whole characters',
);

export const aNumber = checked((value) => Number.isFinite(value), 'give a number');

/** One or more of something, milliseconds for example. */
export const aCount = checked(
  (value) => Number.isSafeInteger(value) && Number(value) >= 1,
  'give a whole number of 1 or more',
);

export const aPort = checked(
  (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
  'give a port, 0 to 65535',
);

export const anInstant = checked(
  (value) => typeof value === 'function' || (value instanceof Date && !Number.isNaN(value.getTime())),
  'give a valid Date, or a function that returns one',
);

export const someBytes = checked((value) => value instanceof Uint8Array, 'give a Uint8Array');

/** Bytes where there is only text for them, as in JSON. */
export const base64 = checked(
  (value) => typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value),
  'give the bytes as base64 text',
);

export function oneOf(...choices: readonly (string | number)[]): Check {
  return checked((value) => choices.includes(value as string), `choose one of ${choices.join(', ')}`);
}

export function either(first: Check, second: Check, isFirst: (value: unknown) => boolean): Check {
  return (value, name) => (isFirst(value) ? first : second)(value, name);
}

export function optional(check: Check): Check {
  return (value, name) => (value === undefined ? undefined : check(value, name));
}

export function listOf(check: Check, atLeast = 0): Check {
  return (value, name) => {
    if (!Array.isArray(value)) return `${name} is ${shown(value)}: give a list.`;
    if (value.length < atLeast) return `${name} is empty: give at least one, or leave it out.`;
    return firstOf(value.map((entry, index) => () => check(entry, `${name}[${String(index)}]`)));
  };
}

/** An object that has no field but these. */
export function fieldsOf(checks: Readonly<Record<string, Check>>): Check {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return `${name} is ${shown(value)}: give an object.`;
    }
    const unknown = Object.keys(value).find((field) => !Object.hasOwn(checks, field));
    if (unknown !== undefined) {
      return `${name} has ${JSON.stringify(unknown)}, which is unknown: there are ${Object.keys(checks).join(', ')}.`;
    }
    const fields = value as Record<string, unknown>;
    return firstOf(
      Object.entries(checks).map(
        ([field, check]) =>
          () =>
            check(fields[field], `${name}.${field}`),
      ),
    );
  };
}

/** @throws {WechatEmulatorError} if one of the ids is empty or comes twice. */
export function eachOwn(list: string, field: string, ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    if (id === '' || seen.has(id)) {
      throw wrongOption(`${list} has the ${field} ${JSON.stringify(id)} empty or twice: give each its own.`);
    }
    seen.add(id);
  }
}

export function wrongOption(sentence: string): WechatEmulatorError {
  return new WechatEmulatorError('emulator_option', `The emulator cannot start: ${sentence}`);
}

export function checked(isRight: (value: unknown) => boolean, cure: string): Check {
  return (value, name) => (isRight(value) ? undefined : `${name} is ${shown(value)}: ${cure}.`);
}

function firstOf(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check();
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

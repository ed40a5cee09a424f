import { found, isRecord, type Problems, type Setting } from './settings.reader.js';

const LEAVE_OUT = 'Leave it out for the default.';

/** @returns the text of a setting that has to be there; undefined with a problem noted. */
export function requiredText(setting: Setting, cure: string, problems: Problems): string | undefined {
  const { name, value } = setting;
  if (typeof value === 'string' && value !== '') return value;
  const flaw = value === undefined || value === '' ? 'is missing' : 'is not a text';
  problems.add(`${name} ${flaw}${value === undefined ? '' : `: ${found(setting)}`}.`, cure);
  return undefined;
}

/** @returns the text of a setting that may be left out. */
export function optionalText(setting: Setting, problems: Problems): string | undefined {
  const { name, value } = setting;
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  problems.add(`${name} is not a text: ${found(setting)}.`, LEAVE_OUT);
  return undefined;
}

/** @returns the settings that are kept together in an object; none if it is left out. */
export function optionalGroup(setting: Setting, cure: string, problems: Problems): Record<string, unknown> {
  const { name, value } = setting;
  if (isRecord(value)) return value;
  if (value !== undefined) problems.add(`${name} is not an object: ${found(setting)}.`, cure);
  return {};
}

export function oneOf<T extends string>(
  setting: Setting,
  allowed: readonly T[],
  defaultValue: T,
  problems: Problems,
): T {
  const { name, value } = setting;
  if (value === undefined) return defaultValue;
  const chosen = allowed.find((one) => one === value);
  if (chosen === undefined) {
    problems.add(`${name} is unknown: ${found(setting)}.`, `Choose one of: ${allowed.join(', ')}.`);
  }
  return chosen ?? defaultValue;
}

/** @returns a length of time. */
export function milliseconds(
  setting: Setting,
  { defaultMs, minMs = 1, maxMs }: { defaultMs: number; minMs?: number; maxMs: number },
  problems: Problems,
): number {
  const { name, value } = setting;
  if (value === undefined) return defaultMs;
  if (typeof value === 'number' && value >= minMs && value <= maxMs) return value;
  problems.add(
    `${name} is not a number of milliseconds from ${minMs} to ${maxMs}: ${found(setting)}.`,
    typeof value === 'string' ? `Write it as a number, without quotes. ${LEAVE_OUT}` : LEAVE_OUT,
  );
  return defaultMs;
}

/** @returns the entries of a list, each under a name of its own; none if the list is left out. */
export function listOf(setting: Setting, cure: string, problems: Problems): Setting[] {
  const { name, value, source } = setting;
  if (Array.isArray(value)) {
    return Array.from(value, (entry: unknown, index) => ({
      name: `${name}[${index}]`,
      value: entry,
      source,
    }));
  }
  if (value !== undefined) problems.add(`${name} is not a list: ${found(setting)}.`, cure);
  return [];
}

/** @returns how many of something. */
export function wholeNumber(
  setting: Setting,
  { default: defaultValue, max }: { default: number; max: number },
  problems: Problems,
): number {
  const { name, value } = setting;
  if (value === undefined) return defaultValue;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return value;
  problems.add(`${name} is not a whole number from 1 to ${max}: ${found(setting)}.`, LEAVE_OUT);
  return defaultValue;
}

/** @returns a part of the whole. */
export function share(setting: Setting, defaultValue: number, problems: Problems): number {
  const { name, value } = setting;
  if (value === undefined) return defaultValue;
  if (typeof value === 'number' && value > 0 && value <= 1) return value;
  problems.add(`${name} is not a number above 0 and up to 1: ${found(setting)}.`, LEAVE_OUT);
  return defaultValue;
}

import type { WechatConfigurationProblem } from '../common/errors.js';

/** Reads one environment variable, wherever the host's configuration has it from; undefined if it is not set. */
export type ReadEnvironment = (name: string) => unknown;

/** One setting, as the host gave it: nothing is known of its type, since not every host is written in TypeScript. */
export interface Setting {
  /** As messages call it: the option, and in brackets the variable where there is one. */
  name: string;
  /** Undefined if left out. A text has no blanks around it. */
  value: unknown;
  source: 'option' | 'variable';
}

/** Collects what is wrong, so that all of it can be said at once. */
export class Problems {
  readonly list: WechatConfigurationProblem[] = [];

  /** Neither text may hold a value that could be a secret, in its place or in another's. */
  add(problem: string, cure: string): void {
    this.list.push({ problem, cure });
  }
}

/** Finds settings among the options and, where the option is left out, in the environment. */
export class SettingsReader {
  constructor(
    private readonly options: Readonly<Record<string, unknown>>,
    private readonly readEnvironment: ReadEnvironment,
  ) {}

  /** @param variable the environment variable that serves where the option is left out; an empty one counts as unset. */
  read(option: string, variable?: string): Setting {
    const value = trimmed(this.options[option]);
    const name = variable === undefined ? option : `${option} (${variable})`;
    if (value !== undefined || variable === undefined) return { name, value, source: 'option' };
    const text = trimmed(this.readEnvironment(variable));
    return { name, value: text === '' ? undefined : text, source: 'variable' };
  }
}

/** @returns one of the settings that are kept together in an object, under its full name. */
export function settingWithin(
  place: string,
  values: Readonly<Record<string, unknown>>,
  key: string,
): Setting {
  return { name: `${place}.${key}`, value: trimmed(values[key]), source: 'option' };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns what was found instead of what belongs there, in words that give nothing away. */
export function found({ value, source }: Setting): string {
  return `the ${source} holds ${kindOf(value)}`;
}

/** @returns the class of a value, never the value. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string') return kindOfText(value);
  if (typeof value === 'number') return kindOfNumber(value);
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  return `a ${typeof value}`;
}

function kindOfText(text: string): string {
  if (text === '') return 'an empty text';
  if (text === 'undefined' || text === 'null') return `the word ${text}`;
  if (isQuoted(text)) return 'a text in quotes';
  return `a text of ${text.length} characters`;
}

function kindOfNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === 0) return 'zero';
  return value < 0 ? 'a negative number' : 'a number';
}

/** Docker's `--env-file` and some panels keep the quotes that a shell would take away. */
export function isQuoted(text: string): boolean {
  return /^(["'`]).*\1$/s.test(text);
}

function trimmed(value: unknown): unknown {
  return typeof value === 'string' ? value.trim() : value;
}

import type { jest } from '@jest/globals';

type Fakeable =
  NonNullable<Parameters<typeof jest.useFakeTimers>[0]> extends infer Config
    ? Config extends { doNotFake?: (infer Name)[] }
      ? Name
      : never
    : never;

const ALL: readonly Fakeable[] = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
];

/** For `jest.useFakeTimers({ doNotFake: everythingBut('setTimeout') })`: the database and HTTP go on with real ones. */
export function everythingBut(...faked: Fakeable[]): Fakeable[] {
  return ALL.filter((name) => !faked.includes(name));
}

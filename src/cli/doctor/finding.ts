/** What the findings are about, in the order of the report. */
export const CHECKS = [
  'versions',
  'environment',
  'keys',
  'public-url',
  'database',
  'clock',
  'wechat',
] as const;

export type Check = (typeof CHECKS)[number];

/** One thing that `doctor` has looked at. No text of it holds a secret. */
export interface Finding {
  check: Check;
  /** `error`: sign-in will not work. `warning`: it may not, or something was not checked. */
  status: 'ok' | 'warning' | 'error';
  message: string;
  /** What to do. */
  cure?: string;
}

export function ok(check: Check, message: string): Finding {
  return { check, status: 'ok', message };
}

export function warning(check: Check, message: string, cure: string): Finding {
  return { check, status: 'warning', message, cure };
}

export function error(check: Check, message: string, cure: string): Finding {
  return { check, status: 'error', message, cure };
}

/** For what could not be looked at. */
export function notChecked(check: Check, what: string, because: string): Finding {
  return { check, status: 'warning', message: `Not checked: ${what}, ${because}.` };
}

import type { SealingKey } from '../common/sealer.js';
import { isFilled, repeated, splitList } from './lists.js';
import { type Problems, type Setting } from './settings.reader.js';
import { requiredText } from './values.check.js';

const KEY_BYTES = 32;
const MAKE_ONE = `Make one with: node -e "console.log('k1:' + crypto.randomBytes(32).toString('base64'))"`;

/** @returns the keys, the first of which seals; undefined if any is wrong. No message repeats a part of a key. */
export function checkKeys(
  setting: Setting,
  problems: Problems,
): readonly [SealingKey, ...SealingKey[]] | undefined {
  const before = problems.list.length;
  const { name } = setting;
  const text = requiredText(setting, MAKE_ONE, problems);
  if (text === undefined) return undefined;
  const entries = splitList(text);
  if (entries.length === 0) problems.add(`${name} is missing: it holds nothing but commas.`, MAKE_ONE);
  const keys = entries.flatMap((entry, index) => {
    const key = keyOf(entry);
    if (typeof key !== 'string') return [key];
    problems.add(`${name}: entry ${index + 1} ${key}.`, MAKE_ONE);
    return [];
  });
  const kids = repeated(keys.map(({ kid }) => kid));
  for (const kid of kids) {
    problems.add(`${name} has two entries with the kid ${kid}.`, 'Give every key a kid of its own.');
  }
  const secrets = keys.map(({ secret }) => secret.toString('hex'));
  for (const secret of kids.length > 0 ? [] : repeated(secrets)) {
    const names = keys.filter((_, index) => secrets[index] === secret).map(({ kid }) => kid);
    problems.add(
      `${name}: ${names.join(' and ')} are one and the same key.`,
      `A new key is one of new bytes. ${MAKE_ONE}`,
    );
  }
  return problems.list.length === before && isFilled(keys) ? keys : undefined;
}

/** @returns the key, or what is wrong with the entry. */
function keyOf(entry: string): SealingKey | string {
  if (/["'`]/.test(entry)) return 'has a quote in it: take quotes away';
  const separator = /[，、；;]/.exec(entry)?.[0];
  if (separator !== undefined) return `has "${separator}" in it: separate keys by a plain comma`;
  const colon = entry.indexOf(':');
  const kid = entry.slice(0, colon);
  const base64 = entry.slice(colon + 1);
  if (colon < 0) return 'has no kid: it is not of the form kid:base64';
  if (!/^[\w-]{1,32}$/.test(kid)) return 'has a kid that is not 1 to 32 letters, digits, "_" or "-"';
  if (base64 === '') return 'has nothing after its kid';
  if (/^[0-9a-f]{64}$/i.test(base64)) return 'is hexadecimal, not base64';
  if (!/^[\w+/-]+={0,2}$/.test(base64)) return 'is not base64';
  const secret = Buffer.from(base64, 'base64');
  if (secret.length !== KEY_BYTES) return `is base64 of ${secret.length} bytes, not ${KEY_BYTES}`;
  return { kid, secret };
}

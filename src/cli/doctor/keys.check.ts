import type { WechatConfigurationProblem } from '../../common/errors.js';
import type { SealingKey } from '../../common/sealer.js';
import { error, type Finding, notChecked, ok, warning } from './finding.js';

/** 32 random bytes have about 30 different values. */
const LEAST_DIFFERENT_BYTES = 16;

/** @param stored what the database's rows need, or why that is not known. */
export function checkKeys(
  keys: readonly SealingKey[] | undefined,
  stored: readonly WechatConfigurationProblem[] | { unknownBecause: string },
): Finding[] {
  const [first, ...others] = keys ?? [];
  if (!first)
    return [notChecked('keys', 'the keys', 'since WECHAT_AUTH_KEYS is missing or wrong (see environment)')];
  const list = others.map(({ kid }) => kid).join(', ');
  const findings = [
    ok(
      'keys',
      others.length === 0
        ? `One key: ${first.kid} seals and opens.`
        : `${1 + others.length} keys: ${first.kid} seals; it and ${list} open.`,
    ),
    ...[first, ...others]
      .filter(looksTyped)
      .map(({ kid }) =>
        warning(
          'keys',
          `The key ${kid} does not look random; who guesses it can sign in as anybody.`,
          `Add a new key last everywhere, then put it first everywhere, then run rotate-keys, then remove this one (docs/keys.md). Make it with: node -e "console.log('k2:' + crypto.randomBytes(32).toString('base64'))"`,
        ),
      ),
  ];
  if ('unknownBecause' in stored) {
    return [...findings, notChecked('keys', 'whether stored tokens need another key', stored.unknownBecause)];
  }
  return stored.length > 0
    ? [...findings, ...stored.map(({ problem, cure }) => error('keys', problem, cure))]
    : [...findings, ok('keys', 'No stored token needs a key that is missing.')];
}

/** One byte again and again, or typed text. */
function looksTyped({ secret }: SealingKey): boolean {
  return new Set(secret).size < LEAST_DIFFERENT_BYTES || secret.every((byte) => byte >= 0x20 && byte < 0x7f);
}

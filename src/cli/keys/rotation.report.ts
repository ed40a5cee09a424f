import type { WechatConfigurationProblem } from '../../common/errors.js';
import type { SealingKey } from '../../common/sealer.js';
import type { SealedCounts } from '../../grants/key-rotation.js';
import { printableKid } from '../../grants/sealing-header.js';
import { unopenedProblems } from './rotation.problems.js';
import type { RotationRun } from './rotation.run.js';

export interface KeyReport extends SealedCounts {
  kid: string;
  /** `missing`: stored texts need it, and WECHAT_AUTH_KEYS lacks it. */
  role: 'seals' | 'opens' | 'missing';
  /** Whether it may be taken out of WECHAT_AUTH_KEYS, as far as stored texts go. */
  mayBeRetired: boolean;
}

/** What `rotate-keys --json` prints. No text of it holds a secret. */
export interface RotationReport {
  /** Whether everything is sealed with the first key; in a dry run, whether it can be. */
  ok: boolean;
  dryRun: boolean;
  schema: string;
  /** Texts that were sealed anew; in a dry run, that would be. */
  resealed: SealedCounts;
  keys: KeyReport[];
  problems: WechatConfigurationProblem[];
}

const NONE: SealedCounts = { tokens: 0, userinfo: 0 };

export function rotationReport(
  run: RotationRun,
  keys: readonly [SealingKey, ...SealingKey[]],
  dryRun: boolean,
): RotationReport {
  const { counts, resealed, schema, table } = run;
  const known: KeyReport[] = keys.map(({ kid }, index) => {
    const named = counts.get(kid) ?? NONE;
    const isFirst = index === 0;
    const mayBeRetired = !isFirst && named.tokens + named.userinfo === 0;
    return { kid, role: isFirst ? 'seals' : 'opens', ...named, mayBeRetired };
  });
  const missing: KeyReport[] = [...counts]
    .filter(([kid]) => !keys.some((key) => key.kid === kid))
    .map(([kid, named]) => ({ kid: printableKid(kid), role: 'missing', ...named, mayBeRetired: false }));
  const problems = [
    ...unopenedProblems(run, table),
    ...(dryRun ? [] : known.flatMap((key) => stillUsedProblem(key, keys[0].kid, run))),
  ];
  return { ok: problems.length === 0, dryRun, schema, resealed, keys: [...known, ...missing], problems };
}

/** What was left although it opens. */
function stillUsedProblem(
  { kid, role, tokens, userinfo }: KeyReport,
  first: string,
  { unopened }: RotationRun,
): WechatConfigurationProblem[] {
  if (role !== 'opens') return [];
  const damaged = unopened.filter(({ kid: named }) => named === kid).reduce((sum, one) => sum + one.count, 0);
  const left = tokens + userinfo - damaged;
  if (left === 0) return [];
  return [
    {
      problem: `${left} sealed ${left === 1 ? 'text' : 'texts'} went back to ${kid} each time: an instance still seals with ${kid}.`,
      cure: `Put ${first} first in WECHAT_AUTH_KEYS on every instance, then run rotate-keys again.`,
    },
  ];
}

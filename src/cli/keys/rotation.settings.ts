import type { SealingKey } from '../../common/sealer.js';
import { CommandFailure } from '../command.failure.js';
import { readSettings } from '../doctor/settings.js';

/**
 * @returns what WECHAT_AUTH_KEYS holds; the other settings do not matter here.
 * @throws {CommandFailure} if it is missing or wrong.
 */
export function readKeys(env: NodeJS.ProcessEnv): readonly [SealingKey, ...SealingKey[]] {
  const { keys, problems } = readSettings(env);
  const [first, ...others] = keys ?? [];
  if (first) return [first, ...others];
  const ours = problems.filter(({ problem }) => problem.includes('WECHAT_AUTH_KEYS'));
  throw new CommandFailure({
    problem: ours.map(({ problem }) => problem).join(' '),
    cure: [...new Set(ours.map(({ cure }) => cure))].join(' '),
  });
}

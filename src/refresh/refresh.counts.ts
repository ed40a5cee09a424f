import { countRefreshes } from '../common/instruments.js';
import { SealError } from '../common/sealer.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';

/**
 * Counts what came of refreshes, by class. What was not sent is not counted: it is still due.
 *
 * @param outcomes with `tokens`, with an `error`, or with neither.
 */
export function countOutcomes(appId: string, outcomes: readonly object[]): void {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const name = nameOf(outcome);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of counts) countRefreshes(appId, name, count);
}

function nameOf(outcome: object): string | undefined {
  if ('tokens' in outcome) return 'ok';
  return 'error' in outcome ? classOf(outcome.error) : undefined;
}

function classOf(error: unknown): string {
  if (error instanceof WechatResponseError) return error.class;
  // A key that is missing here: only the operator can bring it back.
  return error instanceof SealError ? 'sealed' : 'unknown';
}

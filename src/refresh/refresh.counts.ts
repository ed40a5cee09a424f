import { countRefresh } from '../common/instruments.js';
import { SealError } from '../common/sealer.js';
import { WechatResponseError } from '../protocol/wechat-response.error.js';

/**
 * Counts what came of refreshes, by class. What was not sent is not counted: it is still due.
 *
 * @param outcomes with `tokens`, with an `error`, or with neither.
 */
export function countRefreshes(appId: string, outcomes: readonly object[]): void {
  for (const outcome of outcomes) {
    if ('tokens' in outcome) countRefresh(appId, 'ok');
    else if ('error' in outcome) countRefresh(appId, classOf(outcome.error));
  }
}

function classOf(error: unknown): string {
  if (error instanceof WechatResponseError) return error.class;
  // A key that is missing here: only the operator can bring it back.
  return error instanceof SealError ? 'sealed' : 'unknown';
}

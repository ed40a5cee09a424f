import type { Observable } from '@opentelemetry/api';
import { meter } from '../common/instruments.js';

/**
 * What is read from the database. They are gauges and no counters up and down, since all instances show the same:
 * `max` over the instances is right, and a sum is not. Those that are 0 or 1 have no unit.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/general/metrics/
 */
export type WechatGauges = ReturnType<typeof createGauges>;

// What a function returns is the shortest list of their names.
export function createGauges() {
  const gauge = (name: string, description: string, unit?: string): Observable =>
    meter().createObservableGauge(`wechat_auth.${name}`, { description, ...(unit && { unit }) });
  return {
    grants: gauge('grants', 'Stored grants, by the state of consent and token pair.', '{grant}'),
    backlog: gauge('refresh.backlog', 'Grants whose refresh is due and has not been written.', '{grant}'),
    backlogAge: gauge('refresh.backlog_age', 'How long the oldest of them has been due.', 's'),
    quotaRemaining: gauge('quota.remaining', "What is left of WeChat's calls in this minute.", '{call}'),
    accountStopped: gauge(
      'account.stopped',
      'Whether no refresh is sent, since the account is misconfigured.',
    ),
    markingStopped: gauge(
      'account.marking_stopped',
      'Whether no grant is marked, since WeChat rejects too many refresh tokens.',
    ),
    databaseUp: gauge('database.up', 'Whether the other gauges could be read.'),
  };
}

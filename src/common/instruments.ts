import {
  type Attributes,
  type Counter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
} from '@opentelemetry/api';

/** What metrics are told apart by. None of it is secret, and none of it tells of a person. */
export const APP_ID = 'wechat.app_id';
export const ENDPOINT = 'wechat.endpoint';
/** `ok`, or the class of the failure: `transient`, `quota`, `token`, `configuration` and so on. */
export const OUTCOME = 'wechat.outcome';

/** The buckets that OpenTelemetry gives to HTTP calls, in seconds. */
const CALL_DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

interface Instruments {
  readonly callDuration: Histogram;
  readonly refreshResults: Counter;
}

const instruments = new WeakMap<MeterProvider, Instruments>();

/** A call of WeChat's API that has ended. */
export interface EndedCall {
  readonly endpoint: string;
  readonly outcome: string;
  /** What went wrong, in one word of few. */
  readonly errorType?: string;
  readonly durationMs: number;
}

export function recordCall({ endpoint, outcome, errorType, durationMs }: EndedCall): void {
  const attributes: Attributes = { [ENDPOINT]: endpoint, [OUTCOME]: outcome };
  if (errorType !== undefined) attributes['error.type'] = errorType;
  current().callDuration.record(durationMs / 1000, attributes);
}

/** @param count refreshes that had this outcome. */
export function countRefreshes(appId: string, outcome: string, count: number): void {
  current().refreshResults.add(count, { [APP_ID]: appId, [OUTCOME]: outcome });
}

/** Does nothing, and costs next to nothing, where the host has set no OpenTelemetry SDK. */
export function meter(): Meter {
  return metrics.getMeter('nestjs-wechat-auth');
}

/**
 * Unlike its tracers, the meters of OpenTelemetry's API that were made before the SDK is set never wake up. So they are
 * asked for when there is something to record.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
 */
function current(): Instruments {
  const provider = metrics.getMeterProvider();
  let made = instruments.get(provider);
  if (!made) {
    made = {
      callDuration: meter().createHistogram('wechat_auth.call.duration', {
        description: "How long calls of WeChat's API take.",
        unit: 's',
        advice: { explicitBucketBoundaries: CALL_DURATION_BUCKETS },
      }),
      refreshResults: meter().createCounter('wechat_auth.refresh.results', {
        description: 'Refreshes of access tokens, by what came of them.',
        unit: '{refresh}',
      }),
    };
    instruments.set(provider, made);
  }
  return made;
}

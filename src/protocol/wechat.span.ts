import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { recordCall } from '../common/instruments.js';
import { WechatResponseError, type WechatEndpoint } from './wechat-response.error.js';

const tracer = trace.getTracer('nestjs-wechat-auth');

/**
 * Runs a call of WeChat's API in a trace span of its own and keeps the automatic one of the HTTP client from being
 * made: that one would record the address, and WeChat wants tokens, codes and the app secret in it. How long the call
 * took is measured as well. Costs next to nothing where the host uses no OpenTelemetry.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export async function inWechatSpan<T>(
  endpoint: WechatEndpoint,
  path: string,
  call: () => Promise<T>,
): Promise<T> {
  const span = tracer.startSpan(`WeChat ${endpoint}`, {
    kind: SpanKind.CLIENT,
    attributes: { 'http.request.method': 'GET', 'url.path': path },
  });
  const startedAtMs = performance.now();
  try {
    const result = await context.with(suppressTracing(trace.setSpan(context.active(), span)), call);
    recordCall({ endpoint, outcome: 'ok', durationMs: performance.now() - startedAtMs });
    return result;
  } catch (error) {
    recordCall({ endpoint, ...failureOf(error), durationMs: performance.now() - startedAtMs });
    recordFailure(span, error);
    throw error;
  } finally {
    span.end();
  }
}

function failureOf(error: unknown): { outcome: string; errorType: string } {
  return error instanceof WechatResponseError
    ? { outcome: error.class, errorType: error.code }
    : { outcome: 'unknown', errorType: '_OTHER' };
}

function recordFailure(span: Span, error: unknown): void {
  if (error instanceof WechatResponseError) {
    span.setAttribute('error.type', error.code);
    if (error.errcode !== undefined) span.setAttribute('wechat.errcode', error.errcode);
    if (error.requestId !== undefined) span.setAttribute('wechat.request_id', error.requestId);
  }
  span.setStatus({ code: SpanStatusCode.ERROR });
}

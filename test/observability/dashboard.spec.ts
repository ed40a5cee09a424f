import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { grant, HOUR_MS, serviceOf } from '../refresh/refresh.harness.js';
import { TestWorld } from '../support/test-app.js';
import { MetricsSdk } from './metrics.harness.js';

interface Dashboard {
  panels: {
    id: number;
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    fieldConfig: { defaults: { thresholds: { steps: { color: string }[] } } };
    targets: { expr: string }[];
  }[];
  templating: { list: { name: string; definition?: string }[] };
}

const text = readFileSync(resolve(import.meta.dirname, '../../examples/grafana/wechat-auth.json'), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const expressions = [
  ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.flatMap(({ definition = [] }) => definition),
];

/** What an expression asks for: names, or patterns that stand for one. */
function metricsOf(expression: string): RegExp[] {
  const patterns = [...expression.matchAll(/__name__=~"([^"]*)"/g)].map(([, pattern = '']) => pattern);
  const names = expression.replace(/"[^"]*"/g, '').match(/\bwechat_auth_\w+/g) ?? [];
  return [...patterns, ...names].map((pattern) => new RegExp(`^(${pattern})$`));
}

describe('the dashboard', () => {
  let world: TestWorld;
  let sdk: MetricsSdk;
  let metrics: ResourceMetrics;
  /** As Prometheus gets them from OpenTelemetry's exporter: name and labels of each figure. */
  let exported: Map<string, Set<string>>;

  beforeAll(async () => {
    sdk = new MetricsSdk();
    world = await TestWorld.create();
    const site = await world.start();
    await grant(world, site, world.wechat.users[0]?.openid ?? '');
    world.clock.advance(2 * HOUR_MS);
    await serviceOf(site).refreshDue();
    metrics = await sdk.collect();
    exported = new Map();
    for (const line of new PrometheusSerializer().serialize(metrics).split('\n')) {
      const [, name = '', labels = ''] = /^(wechat_auth_\w+)\{(.*)\} /.exec(line) ?? [];
      if (name === '') continue;
      const known = exported.get(name) ?? new Set();
      for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
      exported.set(name, known);
    }
  });
  afterAll(async () => {
    await world.close();
    await sdk.close();
  });

  it('asks for nothing that is not exported', () => {
    for (const expression of expressions) {
      const wanted = metricsOf(expression);
      expect([expression, wanted.length > 0]).toEqual([expression, true]);
      for (const pattern of wanted) {
        const found = [...exported.keys()].filter((name) => pattern.test(name));
        expect([pattern, found]).toEqual([pattern, [expect.any(String)]]);
        const [name = ''] = found;
        const labels = [...expression.matchAll(/\b(wechat_(?!auth_)\w+|le)\b/g)].map(([label]) => label);
        expect([...(exported.get(name) ?? [])]).toEqual(expect.arrayContaining(labels));
      }
    }
  });

  it('shows all that is exported', () => {
    const wanted = expressions.flatMap(metricsOf);
    // The sum of a histogram is for averages, and the dashboard shows percentiles.
    const shown = [...exported.keys()].filter((name) => !name.endsWith('_sum'));
    expect(shown.length).toBeGreaterThanOrEqual(10);
    for (const name of shown)
      expect([name, wanted.some((pattern) => pattern.test(name))]).toEqual([name, true]);
  });

  it('also finds what a collector has named by its unit', () => {
    const inSeconds = metrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.unit === 's')
      .map(({ descriptor }) => `${descriptor.name.replaceAll('.', '_')}_seconds`);
    expect(inSeconds).toHaveLength(2);
    const wanted = expressions.flatMap(metricsOf);
    for (const name of inSeconds) {
      const isShown = wanted.some((pattern) => pattern.test(name) || pattern.test(`${name}_bucket`));
      expect([name, isShown]).toEqual([name, true]);
    }
    // Other units, in braces or none, leave no trace in a name.
    for (const { descriptor } of metrics.scopeMetrics.flatMap((scope) => scope.metrics)) {
      expect(descriptor.unit).toMatch(/^(s|\{\w+\}|)$/);
    }
  });

  it('has an alarm on what needs one, and panels that do not lie over each other', () => {
    const alarms = dashboard.panels
      .filter(({ fieldConfig }) => fieldConfig.defaults.thresholds.steps.some(({ color }) => color === 'red'))
      .map(({ title }) => title);
    expect(alarms).toEqual(
      expect.arrayContaining([
        'Database',
        'Stopped accounts',
        'Age of the backlog',
        'Calls left in this minute',
      ]),
    );
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

/** Collects when it is asked to. */
class ReaderOnDemand extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

export interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** A number, or a histogram's figures. */
  readonly value: unknown;
}

/** OpenTelemetry's own SDK, as a host would set it before its application starts. */
export class MetricsSdk {
  private readonly reader = new ReaderOnDemand();
  private readonly provider = new MeterProvider({ readers: [this.reader] });

  constructor() {
    metrics.setGlobalMeterProvider(this.provider);
  }

  async collect(): Promise<ResourceMetrics> {
    const { resourceMetrics, errors } = await this.reader.collect();
    if (errors.length > 0) throw errors[0];
    return resourceMetrics;
  }

  /** What one instrument shows. */
  async points(name: string): Promise<Point[]> {
    const { scopeMetrics } = await this.collect();
    const found = scopeMetrics
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.name === name);
    return found.flatMap(({ dataPoints }) =>
      dataPoints.map(({ attributes, value }): Point => ({ attributes, value })),
    );
  }

  /** The figure with these attributes, and maybe more. */
  async value(name: string, attributes: Readonly<Record<string, string>>): Promise<unknown> {
    const points = (await this.points(name)).filter((point) =>
      Object.entries(attributes).every(([key, value]) => point.attributes[key] === value),
    );
    if (points.length > 1) throw new Error(`${name} has several such figures`);
    return points[0]?.value;
  }

  async close(): Promise<void> {
    await this.provider.shutdown();
    metrics.disable();
  }
}

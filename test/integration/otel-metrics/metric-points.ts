import type { Attributes } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';

/** Collects when it is asked, and never by itself. */
class OnDemandReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

export interface Point {
  readonly attributes: Attributes;
  /** Of a histogram: how many values it holds. */
  readonly value: number;
  /** Of a histogram: the sum of its values. */
  readonly sum?: number;
  readonly unit: string;
}

/** A real meter provider whose points a test can look at. */
export class MetricPoints {
  readonly provider: MeterProvider;
  readonly #reader = new OnDemandReader();

  constructor() {
    this.provider = new MeterProvider({ readers: [this.#reader] });
  }

  /** All points by the name of their metric. */
  async collect(): Promise<Map<string, Point[]>> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    const points = new Map<string, Point[]>();
    for (const { metrics } of resourceMetrics.scopeMetrics) {
      for (const { descriptor, dataPoints } of metrics) {
        const { name, unit } = descriptor;
        points.set(
          name,
          dataPoints.map(({ attributes, value }) => pointOf({ attributes, value, unit })),
        );
      }
    }
    return points;
  }
}

function pointOf(given: { attributes: Attributes; value: unknown; unit: string }): Point {
  const { attributes, value, unit } = given;
  if (typeof value === 'number') return { attributes, value, unit };
  const { count, sum } = value as { count: number; sum: number };
  return { attributes, value: count, sum, unit };
}

/** The points of one metric as `{ [value of the attribute, or '']: number }`. */
export function byAttribute(
  points: Map<string, Point[]>,
  name: string,
  attribute: string,
): Record<string, number> {
  const keyOf = ({ attributes }: Point): string => {
    const value = attributes[attribute];
    return typeof value === 'string' ? value : '';
  };
  return Object.fromEntries((points.get(name) ?? []).map((point) => [keyOf(point), point.value]));
}

/** The one value of a metric that has no attributes of its own; undefined where there is none. */
export function only(points: Map<string, Point[]>, name: string): number | undefined {
  return points.get(name)?.[0]?.value;
}

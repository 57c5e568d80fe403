/**
 * The one shape a record has in memory. It is, structurally, the OpenTelemetry SDK's `ReadableLogRecord`
 * (both of its generations), so that records of an SDK, of the Nest logger and of the decoder are the same
 * thing to every later stage, and none of those stages needs the SDK.
 */

/** Seconds since the Unix epoch, and nanoseconds within that second. */
export type HrTime = [seconds: number, nanoseconds: number];

/** Names to values. A value may be anything the OpenTelemetry data model allows: see `codec/value.ts`. */
export type Attributes = Record<string, unknown>;

export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

export interface Resource {
  readonly attributes: Attributes;
  readonly schemaUrl?: string | undefined;
  /** True while a resource detector has not answered yet; `attributes` may then still grow. */
  readonly asyncAttributesPending?: boolean | undefined;
  waitForAsyncAttributes?(): Promise<void>;
}

export interface InstrumentationScope {
  readonly name: string;
  readonly version?: string | undefined;
  readonly schemaUrl?: string | undefined;
  readonly attributes?: Attributes | undefined;
  readonly droppedAttributesCount?: number | undefined;
}

export interface LogRecord {
  readonly hrTime: HrTime;
  readonly hrTimeObserved: HrTime;
  readonly spanContext?: SpanContext | undefined;
  readonly severityNumber?: number | undefined;
  readonly severityText?: string | undefined;
  readonly body?: unknown;
  readonly eventName?: string | undefined;
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly attributes: Attributes;
  readonly droppedAttributesCount: number;
}

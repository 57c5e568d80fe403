import { entryValues } from '../../../src/codec/entry.js';
import { FieldsEncoder } from '../../../src/codec/entry-encoder.js';
import type { LogStats } from '../../../src/pipeline/account.js';
import { Pipeline } from '../../../src/pipeline/pipeline.js';
import type { FlushResult, PipelineOptions } from '../../../src/pipeline/pipeline-parts.js';
import type { Runtime } from '../../../src/pipeline/runtime.js';
import type { SpoolOpening } from '../../../src/pipeline/spool-desk.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import { everStored } from '../../support/oracle-guard.js';
import { BAD, OracleStore } from '../../support/oracle-store.js';

/** Time that moves only when a test says so. */
export class ManualRuntime implements Runtime {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  readonly now = (): number => this.#now;
  readonly random = (): number => 0.5;

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.#now);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now);
    for (const { callback } of due.sort((a, b) => a.at - b.at)) callback();
  }
}

const RESOURCE = { attributes: { 'service.name': 'model' } };
const SCOPE = { name: '' };

export interface HarnessOptions {
  readonly delivery?: 'exactly-once' | 'at-least-once';
  readonly deliveryIsExplicit?: boolean;
  readonly maxRecords?: number;
  readonly maxInFlight?: number;
  readonly queueRecords?: number;
  /** How producer ids begin. */
  readonly producers?: string;
  /** False where the entries cannot be looked for. */
  readonly searchable?: boolean;
  /** Where batches are written before they are sent. */
  readonly spool?: SpoolOpening;
}

/** Long enough for any backoff, too short for a kept batch to be forgotten. */
const TICK_MS = 200;
const MAX_HEALING_STEPS = 600;

/** The real pipeline on a store and a clock that do only what the test says; it knows every record by its body. */
export class PipelineHarness {
  readonly store = new OracleStore();
  readonly runtime = new ManualRuntime();
  readonly pipeline: Pipeline;
  /** Bodies of dropped records, by reason; rolled back ones are not told one by one. */
  readonly dropped = new Map<string, string[]>();
  readonly weakened: string[] = [];
  /** What failures were told. */
  readonly troubles: string[] = [];
  emitted = 0;
  #producers = 0;

  constructor(options: HarnessOptions = {}) {
    const { maxRecords = 2, maxInFlight = 2, queueRecords = 8 } = options;
    const pipelineOptions: PipelineOptions = {
      limits: { maxRecords, maxBytes: 1_000_000, maxDelayMs: 0, maxInFlight },
      queue: { maxRecords: queueRecords, maxBytes: 1_000_000, overflow: 'drop-oldest' },
      delivery: options.delivery ?? 'exactly-once',
      deliveryIsExplicit: options.deliveryIsExplicit ?? false,
      searchable: options.searchable ?? true,
    };
    this.pipeline = new Pipeline(pipelineOptions, {
      store: this.store,
      encoder: new FieldsEncoder(),
      streamOf: () => 'logs',
      newProducerId: () => `${options.producers ?? 'p'}${++this.#producers}`,
      runtime: this.runtime,
      events: {
        dropped: (reason, entry, record) => {
          const body = entry === undefined ? String(record?.body) : bodyOf(entry);
          this.dropped.set(reason, [...(this.dropped.get(reason) ?? []), body]);
          this.checkIdentity();
        },
        trouble: (_, failure) => failure && this.troubles.push(failure.token),
        weakened: (failure) => this.weakened.push(failure.token),
      },
      isolate: (work) => work(),
      spool: options.spool,
    });
  }

  /** Bodies are the numbers 1, 2, 3 and so on, with `bad` in front of those that cannot be stored. */
  emit(severityNumber = 9, isBad = false): string {
    const number = ++this.emitted;
    const body = isBad ? `${BAD}${number}` : `r${number}`;
    this.pipeline.emit(recordOf(body, severityNumber));
    return body;
  }

  /** Lets everything happen that happens by itself. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    this.checkIdentity();
  }

  async run(...steps: (() => unknown)[]): Promise<void> {
    for (const step of steps) {
      step();
      await this.settle();
    }
  }

  /** Emits a record and connects; the guard is open afterwards, and what was emitted is on its way. */
  async start(): Promise<void> {
    this.emit();
    await this.settle();
    await this.run(() => this.store.reconnect());
    await this.serve();
  }

  /** Executes and answers the oldest request. */
  async serve(times = 1): Promise<void> {
    for (let time = 0; time < times; time++) {
      await this.run(
        () => this.store.execute(),
        () => this.store.reply(),
      );
    }
  }

  /** No more faults: everything is answered until the pipeline has closed. */
  async heal(): Promise<FlushResult> {
    let result: FlushResult | undefined;
    void this.pipeline.close(1e9).then((closed) => {
      result = closed;
    });
    for (let step = 0; step < MAX_HEALING_STEPS; step++) {
      await this.settle();
      if (result !== undefined) return result;
      this.store.reconnect();
      if (this.store.unexecuted > 0) this.store.execute();
      else if (this.store.unanswered > 0) this.store.reply();
      else this.runtime.advance(TICK_MS);
    }
    throw new Error(`Not done after ${MAX_HEALING_STEPS} steps: ${JSON.stringify(this.pipeline.stats())}`);
  }

  get stats(): LogStats {
    return this.pipeline.stats();
  }

  /** Every body that the primary stores or has trimmed, in order. */
  get stored(): string[] {
    return everStored(this.store.primary).map((entry) => entry.record);
  }

  checkIdentity(): void {
    const stats = this.pipeline.stats();
    const states = stats.delivered + stats.queued + stats.spooled + stats.inFlight + stats.unconfirmed;
    const sum = states + droppedOf(stats);
    if (stats.emitted + stats.recovered !== sum || Object.values(stats).some((count) => Number(count) < 0)) {
      throw new Error(`The account is wrong: ${JSON.stringify(stats)}`);
    }
  }
}

export function droppedOf(stats: LogStats): number {
  return Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
}

export function numberOf(body: string): number {
  return Number(body.replace(/^\D+/, ''));
}

export function recordOf(body: string, severityNumber: number): LogRecord {
  return {
    hrTime: [1_763_700_000, 0],
    hrTimeObserved: [1_763_700_000, 0],
    severityNumber,
    body,
    resource: RESOURCE,
    instrumentationScope: SCOPE,
    attributes: {},
    droppedAttributesCount: 0,
  };
}

function bodyOf(
  entry: Parameters<ConstructorParameters<typeof Pipeline>[1]['events']['dropped']>[1],
): string {
  if (entry === undefined) return '';
  const { template, bytes, start, end } = entry;
  return entryValues(template, bytes.subarray(start + template.idBytes.length, end))[1] ?? '';
}

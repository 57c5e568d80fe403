import { RespWriter } from '../codec/resp-writer.js';
import type { LogRecord } from '../record/log-record.js';
import { severityClass } from '../record/severity.js';
import { Account, type DropReason, type LogStats } from './account.js';
import { BoundedQueue } from './bounded-queue.js';
import { DrainWaiters } from './drain-waiters.js';
import { isFeedback } from './feedback.js';
import type { EntryView } from './lane.js';
import type { FlushResult, PipelineOptions, PipelineParts } from './pipeline-parts.js';
import type { StoreState } from './ports.js';
import { SenderPool } from './sender-pool.js';
import { SpoolDesk } from './spool-desk.js';
import type { StreamQueue } from './stream-queue.js';

const SWEEP_MS = 3_600_000;
const SPOOL_CLOSE_MS = 1_000;

/**
 * From a record to Redis: encoded at once, queued within bounds, sent by the sender of its stream, and accounted for.
 * `emit` never throws, never waits, and holds no reference to the record afterwards.
 *
 * States. `open`: records are accepted. `closing`: they still are, while what waits is sent, until the deadline.
 * `closed`: a late record is dropped and counted.
 */
export class Pipeline {
  readonly #account: Account;
  readonly #queue: BoundedQueue;
  readonly #options: PipelineOptions;
  readonly #parts: PipelineParts;
  readonly #out = new RespWriter();
  readonly #senders: SenderPool;
  readonly #desk: SpoolDesk | undefined;
  readonly #waiters: DrainWaiters;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<FlushResult> | undefined;
  #nextSweep: number;
  #ordinal = 0;
  #pumpIsDue = false;
  /** The timer of `maxDelayMs` runs. */
  #isDelaying = false;
  #isAccepting = false;

  constructor(options: PipelineOptions, parts: PipelineParts) {
    this.#options = options;
    this.#parts = parts;
    this.#queue = new BoundedQueue(options.queue, (queue, entry) => this.#shed(queue, entry));
    this.#account = new Account(this.#queue);
    this.#nextSweep = parts.runtime.now() + SWEEP_MS * (0.5 + parts.runtime.random());
    this.#waiters = new DrainWaiters(parts.runtime, () => this.#senders.oldestPending());
    this.#desk = parts.spool === undefined ? undefined : this.#openDesk(parts.spool);
    this.#senders = this.#makeSenders();
    parts.store.onState((state) => this.#storeChanged(state));
  }

  #openDesk(opening: NonNullable<PipelineParts['spool']>): SpoolDesk {
    const { queue } = this.#options;
    return new SpoolDesk(
      opening,
      { runtime: this.#parts.runtime, queue, staged: this.#queue.staged },
      {
        lost: (count) => this.#countLost(count),
        found: (left) => this.#desk && this.#senders.replay(left, this.#desk.spooler),
        opened: () => this.#pump(true),
        started: () => {
          this.#senders.start();
          this.#pump(true);
        },
      },
    );
  }

  /** An earlier process had written them to disk: they are neither emitted here nor recovered, but for the account. */
  #countLost(count: number): void {
    this.#account.recovered += count;
    this.#account.drop('spool_unreadable', count);
    for (let told = 0; told < count; told++)
      this.#parts.events.dropped('spool_unreadable', undefined, undefined);
  }

  #makeSenders(): SenderPool {
    const { delivery, deliveryIsExplicit, limits, searchable } = this.#options;
    const { store, runtime, newProducerId, events } = this.#parts;
    return new SenderPool(
      {
        delivery,
        deliveryIsExplicit,
        queue: this.#queue,
        spooler: this.#desk?.spooler,
        weakened: (failure) => events.weakened(failure),
      },
      {
        store,
        account: this.#account,
        limits,
        runtime,
        searchable,
        newProducerId,
        dropped: (entry, reason) => events.dropped(reason, entry, undefined),
        poke: () => this.#pump(false),
        settled: () => this.#waiters.check(),
        trouble: (stream, failure) => events.trouble(stream, failure),
      },
    );
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  stats(): LogStats {
    return this.#account.stats(this.#senders.delivery);
  }

  /** False when the record was refused (closed, full, too large, impossible to encode); it is counted either way. */
  emit(record: LogRecord): boolean {
    if (this.#state === 'closed') return this.#refuse('closed', record);
    // The user's own functions (stream, format) may log; a record about a record would never end.
    if (this.#isAccepting) return this.#refuse('recursive', record);
    this.#isAccepting = true;
    try {
      return this.#accept(record);
    } catch {
      // Only a hostile record gets here (a throwing getter, a shape that is none): it is set aside, and counted.
      return this.#refuse('rejected', record);
    } finally {
      this.#isAccepting = false;
    }
  }

  /** Counts a record of which not even a `LogRecord` could be made. */
  emitUnreadable(): false {
    return this.#refuse('rejected', undefined);
  }

  /** Counts a record that was left out before it got here, as the options ask. True: nothing was refused. */
  leaveOut(reason: DropReason): true {
    this.#refuse(reason, undefined);
    return true;
  }

  /** Counts entries that had to be removed before a group had acknowledged them. */
  countTrimmed(count: number): void {
    this.#account.trimmedUnacknowledged += count;
  }

  /** Resolves when everything emitted so far has an outcome, or the time is up. Never rejects. */
  async flush(timeoutMs: number): Promise<FlushResult> {
    this.#pump(true);
    return this.#result(await this.#waiters.drained(this.#ordinal, timeoutMs));
  }

  /** Sends what waits, makes sure of it, and ends the connection, all within `timeoutMs`. Later calls join the first. */
  close(timeoutMs: number): Promise<FlushResult> {
    return (this.#closing ??= this.#close(timeoutMs));
  }

  async #close(timeoutMs: number): Promise<FlushResult> {
    this.#state = 'closing';
    const { runtime } = this.#parts;
    const deadline = runtime.now() + timeoutMs;
    const left = (): number => deadline - runtime.now();
    let confirmed = false;
    while (!confirmed && left() > 0) {
      this.#pump(true);
      const timedOut = await this.#waiters.drained(this.#ordinal, left());
      if (timedOut) break;
      confirmed = await this.#waiters.within(this.#senders.confirm(), left(), false);
      // Not confirmed: something is on its way again, or the guard is being asked; the next reply tells.
      if (!confirmed) await this.#waiters.nextChange(left());
    }
    this.abandon();
    await this.#waiters.within(this.#closeSpool(), Math.max(left(), SPOOL_CLOSE_MS), undefined);
    return this.#result(!confirmed);
  }

  /** The disk is local: it gets its moment even when Redis has used up the time. */
  #closeSpool(): Promise<void> {
    return this.#desk?.close() ?? Promise.resolve();
  }

  /** Closes at once: what was sent becomes `unconfirmed`, what was not is dropped as `closed`. */
  abandon(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#senders.abandon();
    for (const queue of this.#senders.queues) this.#dropQueued(queue);
    this.#parts.store.close();
    this.#waiters.check();
  }

  #accept(record: LogRecord): boolean {
    const template = this.#parts.encoder.encode(record, this.#out);
    const size = template.idBytes.length + this.#out.length;
    if (size > this.#options.queue.maxBytes) return this.#refuse('too_large', record);
    const stream = this.#parts.streamOf(record);
    if (isFeedback(stream)) return this.#refuse('feedback', record);
    const sender = this.#senders.of(stream);
    const severity = severityClass(record.severityNumber);
    if (!this.#queue.makeRoom(severity, size)) {
      sender.countShed();
      return this.#refuse('queue_full', record);
    }
    sender.queue.push({ severity, template }, this.#out, ++this.#ordinal);
    this.#account.emitted++;
    if (!this.#pumpIsDue) this.#schedule();
    this.#sendIfFull(sender.queue, size);
    return true;
  }

  #refuse(reason: DropReason, record: LogRecord | undefined): false {
    // Counted together with its outcome: whoever is called meanwhile and asks for the account finds it exact.
    this.#account.emitted++;
    this.#account.drop(reason);
    this.#parts.events.dropped(reason, undefined, record);
    return false;
  }

  #shed(queue: StreamQueue, entry: EntryView): void {
    this.#account.drop('queue_full');
    this.#senders.countShed(queue);
    this.#parts.events.dropped('queue_full', entry, undefined);
  }

  #dropQueued(queue: StreamQueue): void {
    for (let severity = 0; queue.size > 0; severity++) {
      for (let entry = queue.shed(severity, 'oldest'); entry; entry = queue.shed(severity, 'oldest')) {
        this.#account.drop('closed');
        this.#parts.events.dropped('closed', entry, undefined);
      }
    }
  }

  /** One look at the queues per tick, or per `maxDelayMs`: a record leaves with whatever its tick brought. */
  #schedule(): void {
    this.#pumpIsDue = true;
    const { maxDelayMs } = this.#options.limits;
    if (maxDelayMs === 0) {
      setImmediate(this.#pumpNow);
      return;
    }
    if (this.#isDelaying) return;
    this.#isDelaying = true;
    this.#parts.runtime.after(maxDelayMs, () => {
      this.#isDelaying = false;
      this.#pump(true);
    });
  }

  /** A batch that is full needs no more company. */
  #sendIfFull(queue: StreamQueue, size: number): void {
    const { maxDelayMs, maxRecords, maxBytes } = this.#options.limits;
    if (maxDelayMs === 0) return;
    const isJustFull =
      queue.size === maxRecords || (queue.bytes >= maxBytes && queue.bytes - size < maxBytes);
    if (isJustFull) setImmediate(this.#pumpNow);
  }

  readonly #pumpNow = (): void => this.#pump(false);

  #pump(force: boolean): void {
    this.#pumpIsDue = false;
    this.#parts.isolate(() => this.#pumpAll(force));
  }

  #pumpAll(force: boolean): void {
    const { store } = this.#parts;
    if (store.state === 'idle' && this.#senders.oldestPending() < Infinity) store.connect();
    this.#senders.pump(force);
    this.#sweepSometimes();
  }

  /** About hourly, and by chance at another time than other processes. */
  #sweepSometimes(): void {
    const { runtime, store } = this.#parts;
    const now = runtime.now();
    if (now < this.#nextSweep || store.state !== 'ready') return;
    this.#nextSweep = now + SWEEP_MS * (0.5 + runtime.random());
    for (const stream of this.#senders.streams) void store.sweep(stream);
  }

  #storeChanged(state: StoreState): void {
    this.#senders.storeChanged(state);
    this.#waiters.check();
  }

  #result(timedOut: boolean): FlushResult {
    const account = this.#account;
    return {
      delivered: account.delivered,
      dropped: account.totalDropped,
      spooled: account.spooled,
      unconfirmed: account.unconfirmed,
      pending: account.queued + account.inFlight,
      timedOut,
    };
  }
}

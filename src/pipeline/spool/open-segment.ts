import { type Frame, segmentHeader } from './frame.js';
import { errorCode, type SpoolFile } from './spool-files.js';
import type { Segment, SpoolStore } from './store.js';
import type { SpoolContext } from './types.js';

export interface OpenSegmentParts {
  readonly context: SpoolContext;
  readonly store: SpoolStore;
  readonly syncMs: number;
}

/** A write that took nothing and gave no error; there is no reason to expect the next one to. */
const NOTHING_WRITTEN = Object.assign(new Error('nothing written'), { code: 'EIO' });

/** A segment that is being written, and its way to the disk. */
export class OpenSegment {
  readonly segment: Segment;
  /** fdatasync failed: what the kernel then has of the file is not to be trusted, so nothing more goes into it. */
  isBroken = false;
  readonly #parts: OpenSegmentParts;
  readonly #file: SpoolFile;
  #unsyncedRecords = 0;
  #unsyncedBytes = 0;
  #isNameSynced = false;
  #cancelSync: (() => void) | undefined;
  #syncing: Promise<void> = Promise.resolve();
  #sealed: Promise<void> | undefined;

  constructor(parts: OpenSegmentParts, segment: Segment, file: SpoolFile) {
    this.#parts = parts;
    this.segment = segment;
    this.#file = file;
  }

  /** Writes the header when the segment is new. Rejects with the system's error, and leaves nothing half-written. */
  async write(frames: readonly Frame[]): Promise<void> {
    const { segment } = this;
    const start = segment.size;
    const buffers = this.#buffers(frames);
    try {
      while (buffers.length > 0) {
        const written = await this.#file.write(buffers, segment.size);
        this.#written(buffers, written);
      }
    } catch (error) {
      await this.#takeBack(start);
      throw error;
    }
    this.#addUnsynced(frames, segment.size - start);
    this.#syncSoon();
  }

  /** As {@link write}, and down to the disk, before it returns. */
  writeNow(frames: readonly Frame[]): void {
    const { segment } = this;
    const { context, store } = this.#parts;
    const buffers = this.#buffers(frames);
    while (buffers.length > 0) this.#written(buffers, this.#file.writeSync(buffers, segment.size));
    try {
      this.#file.syncSync();
      if (!this.#isNameSynced) context.files.syncDirectorySync(store.home.path);
      this.#isNameSynced = true;
    } catch (error) {
      this.#addUnsynced(frames, 0);
      this.#failSync(error);
    }
  }

  #buffers(frames: readonly Frame[]): Buffer[] {
    const buffers = this.segment.size === 0 ? [segmentHeader(this.segment.number)] : [];
    for (const frame of frames) buffers.push(...frame.buffers);
    return buffers;
  }

  #written(buffers: Buffer[], written: number): void {
    if (written === 0) throw NOTHING_WRITTEN;
    this.#parts.store.resize(this.segment, this.segment.size + written);
    dropFront(buffers, written);
  }

  async #takeBack(size: number): Promise<void> {
    try {
      await this.#file.truncate(size);
      this.#parts.store.resize(this.segment, size);
    } catch {
      // What stays is half a frame at the end, which every reader passes over.
    }
  }

  #addUnsynced(frames: readonly Frame[], bytes: number): void {
    for (const { batch } of frames) this.#unsyncedRecords += batch.count;
    this.#unsyncedBytes += bytes;
  }

  #syncSoon(): void {
    const { context, syncMs } = this.#parts;
    this.#cancelSync ??= context.runtime.after(syncMs, () => {
      this.#cancelSync = undefined;
      this.#sync();
    });
  }

  #sync(): void {
    this.#syncing = this.#syncing.then(() => this.#syncNow());
  }

  async #syncNow(): Promise<void> {
    const { context, store } = this.#parts;
    const records = this.#unsyncedRecords;
    const bytes = this.#unsyncedBytes;
    // What is not needed any more need not last: where Redis keeps up, the disk is hardly ever asked to sync.
    if (this.isBroken || bytes === 0 || this.segment.unreleased === 0) return;
    try {
      await this.#file.sync();
      if (!this.#isNameSynced) await context.files.syncDirectory(store.home.path);
      this.#isNameSynced = true;
      this.#unsyncedRecords -= records;
      this.#unsyncedBytes -= bytes;
    } catch (error) {
      this.#failSync(error);
    }
  }

  #failSync(error: unknown): void {
    this.isBroken = true;
    const what = `The disk could not make ${this.#unsyncedRecords} spooled records last (${errorCode(error)})`;
    this.#parts.context.problem('unsynced', `${what}: a power cut may take them. Look at the disk.`);
  }

  /** Nothing more will be written: syncs, closes, and lets the segment go with its last entry. Never rejects. */
  seal(): Promise<void> {
    this.#sealed ??= this.#seal();
    return this.#sealed;
  }

  async #seal(): Promise<void> {
    this.#cancelSync?.();
    this.#sync();
    await this.#syncing;
    await this.#file.close().catch(() => {});
    this.#parts.store.seal(this.segment);
  }
}

/** Takes the first `bytes` bytes off a list of buffers. */
function dropFront(buffers: Buffer[], bytes: number): void {
  let whole = 0;
  let left = bytes;
  for (const buffer of buffers) {
    if (buffer.length > left) break;
    left -= buffer.length;
    whole++;
  }
  buffers.splice(0, whole);
  const first = buffers[0];
  if (first !== undefined && left > 0) buffers[0] = first.subarray(left);
}

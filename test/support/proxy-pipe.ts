import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/** So much is kept for a held or a slow pipe; then the sender feels it, as with a full window of TCP. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

export interface PipeSettings {
  readonly latencyMs: number;
  readonly sliceBytes: number;
  /** Bytes from now until `onLimit`; undefined for no limit. */
  readonly limitBytes: number | undefined;
}

export interface PipeEvents {
  /** Bytes were passed on. */
  readonly onBytes: (count: number) => void;
  /** The limit is reached: exactly so many bytes were passed on. */
  readonly onLimit: () => void;
}

interface Chunk {
  readonly bytes: Buffer;
  /** When it may go on, by performance.now(). */
  readonly dueAt: number;
  /** The sender has ended its half with this (empty) chunk. */
  readonly isEnd: boolean;
}

/** One direction of a proxied connection: takes from one socket, gives to the other, in order. */
export class ProxyPipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #events: PipeEvents;
  readonly #chunks: Chunk[] = [];
  readonly #holds = new Set<string>();
  #settings: PipeSettings = { latencyMs: 0, sliceBytes: 0, limitBytes: undefined };
  #leftBytes = Infinity;
  #bufferedBytes = 0;
  #isPumping = false;
  #isStopped = false;

  constructor(from: Socket, to: Socket, events: PipeEvents) {
    this.#from = from;
    this.#to = to;
    this.#events = events;
    from.on('data', (bytes: Buffer) => this.#take(bytes, false));
    from.on('end', () => this.#take(Buffer.alloc(0), true));
  }

  set(settings: PipeSettings): void {
    if (settings.limitBytes !== this.#settings.limitBytes) this.#leftBytes = settings.limitBytes ?? Infinity;
    this.#settings = settings;
  }

  /** Lets nothing pass as long as anyone holds it. */
  hold(by: string, isHeld: boolean): void {
    if (isHeld) this.#holds.add(by);
    else this.#holds.delete(by);
    this.#start();
  }

  /** Nothing passes any more. */
  stop(): void {
    this.#isStopped = true;
  }

  #take(bytes: Buffer, isEnd: boolean): void {
    this.#chunks.push({ bytes, isEnd, dueAt: performance.now() + this.#settings.latencyMs });
    this.#bufferedBytes += bytes.length;
    if (this.#bufferedBytes > MAX_BUFFERED_BYTES) this.#from.pause();
    this.#start();
  }

  #start(): void {
    // A socket that is gone ends the pump; its connection hears of that itself.
    if (!this.#isPumping) void this.#pump();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    while (this.#mayPass()) {
      const [chunk] = this.#chunks;
      if (chunk === undefined) break;
      const wait = chunk.dueAt - performance.now();
      // Looks again afterwards: it may have been stopped or held in the meantime.
      if (wait > 0) await delay(wait);
      else await this.#pass(chunk);
    }
    this.#isPumping = false;
  }

  #mayPass(): boolean {
    return !this.#isStopped && this.#holds.size === 0;
  }

  async #pass(chunk: Chunk): Promise<void> {
    this.#chunks.shift();
    if (chunk.isEnd) this.#to.end();
    const rest = await this.#give(chunk.bytes);
    if (rest.length > 0) this.#chunks.unshift({ ...chunk, bytes: rest });
    this.#bufferedBytes -= chunk.bytes.length - rest.length;
    if (this.#bufferedBytes <= MAX_BUFFERED_BYTES) this.#from.resume();
  }

  /** Returns what could not go on, because the pipe was held or stopped in the middle. */
  async #give(bytes: Buffer): Promise<Buffer> {
    let rest = bytes;
    while (rest.length > 0 && this.#mayPass()) {
      const { sliceBytes } = this.#settings;
      const size = Math.min(rest.length, sliceBytes > 0 ? sliceBytes : rest.length, this.#leftBytes);
      await this.#write(rest.subarray(0, size));
      rest = rest.subarray(size);
      this.#leftBytes -= size;
      if (this.#leftBytes <= 0) {
        this.stop();
        this.#events.onLimit();
      } else if (sliceBytes > 0) await nextTurn();
    }
    return rest;
  }

  /** Waits until the system has taken the bytes: a reset right after them must not overtake them. */
  async #write(bytes: Buffer): Promise<void> {
    this.#events.onBytes(bytes.length);
    await new Promise<void>((resolve) => {
      this.#to.write(bytes, () => resolve());
    });
  }
}

import { encodeResource } from '../codec/resource.js';
import { bulk } from '../codec/resp-writer.js';
import type { Target, Template } from '../codec/template.js';
import type { Batch } from '../pipeline/batch.js';
import { BufferPool } from './buffer-pool.js';
import { CommandWriter, viewOf } from './command-writer.js';
import type { StreamKeys } from './keys.js';
import { PlainTemplate } from './plain-template.js';
import { resourcesOf, type TrimLimits } from './requests.js';

/** A batch as plain commands, back to back: those of its records, with others before and behind them. */
export interface PlainBatch {
  /** Name and key of the records' commands. */
  readonly name: string;
  readonly key: string;
  readonly bytes: Buffer;
  /** Where each command ends. */
  readonly ends: readonly number[];
  /** Index of the first record's command, and of the one after the last. Other replies only tell of trouble. */
  readonly first: number;
  readonly end: number;
  /** To be called when every command has its reply, and nobody reads the bytes any more. */
  answered(): void;
}

const buffers = new BufferPool();

/** The plain commands of one stream, for servers that allow no scripts, and for those who want no guard. */
export class PlainRequests {
  readonly #keys: StreamKeys;
  readonly #target: Target;
  readonly #trim: TrimLimits;
  #producer = '';
  #templates = new WeakMap<Template, PlainTemplate>();

  constructor(keys: StreamKeys, target: Target, trim: TrimLimits) {
    this.#keys = keys;
    this.#target = target;
    this.#trim = trim;
  }

  /**
   * `lastMs` is the server's time as its newest entry id told it: ages are never measured by a client's clock, because
   * one that is a day ahead would empty the stream.
   */
  batch(batch: Batch, producer: string, lastMs: number | undefined): PlainBatch {
    const before = this.#resources(batch, lastMs);
    const after = this.#trims(lastMs);
    const templates = this.#templatesOf(batch, producer);
    const buffer = buffers.take(sizeOf(before) + sizeOf(after) + appendsSize(batch, templates));
    const out = new CommandWriter(buffer);
    const ends: number[] = [];
    for (const command of before) ends.push(out.command(command));
    const values = viewOf(batch.payload);
    for (let index = 0; index < batch.count; index++) {
      const template = batch.templateOf(index);
      const at = batch.startOf(index) + template.idBytes.length;
      templates.get(template)?.write({ values, at, seq: batch.first + index }, out);
      ends.push(out.at);
    }
    for (const command of after) ends.push(out.command(command));
    return {
      name: this.#target === 'stream' ? 'xadd' : 'rpush',
      key: this.#keys.stream,
      bytes: buffer.subarray(0, out.at),
      ends,
      first: before.length,
      end: before.length + batch.count,
      answered: () => buffers.give(buffer),
    };
  }

  #templatesOf(batch: Batch, producer: string): Map<Template, PlainTemplate> {
    if (producer !== this.#producer) {
      this.#producer = producer;
      this.#templates = new WeakMap();
    }
    return new Map(batch.templates.map((template) => [template, this.#templateOf(template)]));
  }

  #templateOf(template: Template): PlainTemplate {
    let known = this.#templates.get(template);
    if (known === undefined) {
      known = new PlainTemplate(template, {
        target: this.#target,
        key: this.#keys.stream,
        producer: this.#producer,
      });
      // Detectors that are still out will change the resource, and its hash with it.
      if (template.resource?.asyncAttributesPending !== true) this.#templates.set(template, known);
    }
    return known;
  }

  #resources(batch: Batch, lastMs: number | undefined): Buffer[] {
    const commands: Buffer[] = [];
    for (const resource of resourcesOf(batch.templates)) {
      const { hash, text } = encodeResource(resource);
      commands.push(command(['hsetnx', this.#keys.resources, hash, text]));
      if (lastMs !== undefined)
        commands.push(command(['zadd', this.#keys.resourcesSeen, String(lastMs), hash]));
    }
    return commands;
  }

  #trims(lastMs: number | undefined): Buffer[] {
    const { maxLength, maxAgeMs } = this.#trim;
    const { stream } = this.#keys;
    if (this.#target === 'list') {
      return maxLength === undefined ? [] : [command(['ltrim', stream, `-${maxLength}`, '-1'])];
    }
    const commands: Buffer[] = [];
    if (maxLength !== undefined) commands.push(command(['xtrim', stream, 'MAXLEN', '~', String(maxLength)]));
    if (maxAgeMs !== undefined && lastMs !== undefined) {
      const minId = String(Math.max(0, lastMs - maxAgeMs));
      commands.push(command(['xtrim', stream, 'MINID', '~', minId]));
    }
    return commands;
  }
}

function command(words: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.map(bulk)]);
}

function sizeOf(commands: readonly Buffer[]): number {
  return commands.reduce((sum, { length }) => sum + length, 0);
}

function appendsSize(batch: Batch, templates: ReadonlyMap<Template, PlainTemplate>): number {
  let size = batch.byteLength;
  for (let index = 0; index < batch.count; index++) {
    size += templates.get(batch.templateOf(index))?.overhead ?? 0;
  }
  return size;
}

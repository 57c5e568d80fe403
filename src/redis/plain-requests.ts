import { entryFields } from '../codec/entry.js';
import { encodeResource } from '../codec/resource.js';
import { RespWriter } from '../codec/resp-writer.js';
import type { Target } from '../codec/template.js';
import type { Batch } from '../pipeline/batch.js';
import type { StreamKeys } from './keys.js';
import { resourcesOf, type TrimLimits } from './requests.js';

export interface PlainCall {
  readonly name: string;
  readonly args: string[];
  readonly bytes: Buffer;
}

export interface PlainBatch {
  /** Commands that belong to the batch as a whole; their replies are only looked at for trouble. */
  readonly before: readonly PlainCall[];
  /** One command per record. */
  readonly appends: readonly PlainCall[];
  readonly after: readonly PlainCall[];
}

/**
 * A batch as plain commands, for servers that allow no scripts. `lastMs` is the server's time as its newest entry id
 * told it: ages are never measured by a client's clock, because one that is a day ahead would empty the stream.
 */
export function plainBatch(
  batch: Batch,
  keys: StreamKeys,
  format: { target: Target; trim: TrimLimits; producer: string; lastMs: number | undefined },
): PlainBatch {
  const before: PlainCall[] = [];
  for (const resource of resourcesOf(batch.templates)) {
    const { hash, text } = encodeResource(resource);
    before.push(call('hsetnx', [keys.resources, hash, text]));
    if (format.lastMs !== undefined)
      before.push(call('zadd', [keys.resourcesSeen, String(format.lastMs), hash]));
  }
  const appends: PlainCall[] = [];
  for (let index = 0; index < batch.count; index++) appends.push(append(batch, index, { keys, ...format }));
  return { before, appends, after: trims(keys, format) };
}

function append(
  batch: Batch,
  index: number,
  format: { keys: StreamKeys; target: Target; producer: string },
): PlainCall {
  const { template, bytes, start, end } = batch.entry(index);
  const origin = { producer: format.producer, seq: batch.first + index };
  const fields = entryFields(template, bytes.subarray(start + template.idBytes.length, end), origin);
  const { stream } = format.keys;
  return format.target === 'stream'
    ? call('xadd', [stream, '*', ...fields])
    : call('rpush', [stream, ...fields.filter((_, position) => position % 2 === 1)]);
}

function trims(
  keys: StreamKeys,
  format: { target: Target; trim: TrimLimits; lastMs: number | undefined },
): PlainCall[] {
  const { maxLength, maxAgeMs } = format.trim;
  if (format.target === 'list') {
    return maxLength === undefined ? [] : [call('ltrim', [keys.stream, `-${maxLength}`, '-1'])];
  }
  const calls: PlainCall[] = [];
  if (maxLength !== undefined) calls.push(call('xtrim', [keys.stream, 'MAXLEN', '~', String(maxLength)]));
  if (maxAgeMs !== undefined && format.lastMs !== undefined) {
    calls.push(call('xtrim', [keys.stream, 'MINID', '~', String(Math.max(0, format.lastMs - maxAgeMs))]));
  }
  return calls;
}

const writer = new RespWriter();

function call(name: string, args: string[]): PlainCall {
  writer.reset();
  writer.text(name);
  for (const arg of args) writer.text(arg);
  const start = Buffer.from(`*${args.length + 1}\r\n`);
  return {
    name,
    args: args.slice(0, 1),
    bytes: Buffer.concat([start, writer.bytes.subarray(0, writer.length)]),
  };
}

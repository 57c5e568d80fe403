import { crc32 } from 'node:zlib';
import type { SpoolBatch } from './types.js';

/*
 * A segment is a header and then frames, one per batch. All numbers are little-endian.
 *
 * header, 32 bytes:  0 magic 8 | 8 version u32 | 12 segment number u32 | 16 zeros | 28 CRC-32 of the 28 bytes before
 * frame, 36 bytes:   0 marker 12 | 12 frame number u48 | 18 meta length u16 | 20 definitions length u32 |
 *                    24 payload length u32 | 28 CRC-32 of the body | 32 CRC-32 of the 32 bytes before
 * then the body:     meta (JSON) | definitions | payload
 *
 * Magic, version and CRC of the header stay where they are in every version, so that a damaged header is told from
 * one of another version. The marker holds the random part of the directory's name: nobody who only gets to write
 * log records can put a frame into one, for a reader that looks for the next frame after damage to find.
 */

export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 32;
export const FRAME_HEADER_BYTES = 36;
export const MARKER_BYTES = 12;
export const MAX_META_BYTES = 65_535;

const MAGIC = Buffer.from('NRLSPOOL', 'latin1');
const MARKER_START = Buffer.from([0x9c, 0x4e, 0x52, 0xf1]);

/** What a frame says of its batch beside the batch itself. */
export interface FrameMeta {
  readonly stream: string;
  readonly producer: string;
  readonly first: number;
  readonly count: number;
  readonly holes: number;
  readonly shed: number;
}

export interface FrameHeader {
  readonly number: number;
  readonly metaBytes: number;
  readonly definitionsBytes: number;
  readonly payloadBytes: number;
  readonly bodyCrc: number;
}

/** A batch ready to be written. */
export interface Frame {
  readonly number: number;
  readonly batch: SpoolBatch;
  readonly buffers: readonly Buffer[];
  readonly bytes: number;
}

/** `salt` is the random part of the directory's name, 8 bytes in hex. */
export function frameMarker(salt: string): Buffer {
  return Buffer.concat([MARKER_START, Buffer.from(salt, 'hex')], MARKER_BYTES);
}

export function segmentHeader(number: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(FORMAT_VERSION, 8);
  header.writeUInt32LE(number, 12);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return header;
}

/** The version of a segment's format; `undefined` when this is no header, or a damaged one. */
export function segmentVersion(header: Buffer): number | undefined {
  if (header.length < SEGMENT_HEADER_BYTES || header.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
    return undefined;
  }
  return header.readUInt32LE(28) === crc32(header.subarray(0, 28)) ? header.readUInt32LE(8) : undefined;
}

/** `undefined` when the batch's names are longer than a frame has room for. */
export function encodeFrame(number: number, batch: SpoolBatch, marker: Buffer): Frame | undefined {
  const { stream, producer, first, count, holes, shed, payload } = batch;
  const meta = Buffer.from(JSON.stringify([stream, producer, first, count, holes, shed]));
  if (meta.length > MAX_META_BYTES) return undefined;
  const definitions = Buffer.from(batch.definitions);
  const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  marker.copy(head);
  head.writeUIntLE(number, 12, 6);
  head.writeUInt16LE(meta.length, 18);
  head.writeUInt32LE(definitions.length, 20);
  head.writeUInt32LE(payload.length, 24);
  head.writeUInt32LE(crc32(payload, crc32(definitions, crc32(meta))), 28);
  head.writeUInt32LE(crc32(head.subarray(0, 32)), 32);
  const bytes = head.length + meta.length + definitions.length + payload.length;
  return { number, batch, buffers: [head, meta, definitions, payload], bytes };
}

export function decodeFrameHeader(bytes: Buffer, marker: Buffer): FrameHeader | undefined {
  if (bytes.length < FRAME_HEADER_BYTES || bytes.compare(marker, 0, MARKER_BYTES, 0, MARKER_BYTES) !== 0) {
    return undefined;
  }
  if (bytes.readUInt32LE(32) !== crc32(bytes.subarray(0, 32))) return undefined;
  return {
    number: bytes.readUIntLE(12, 6),
    metaBytes: bytes.readUInt16LE(18),
    definitionsBytes: bytes.readUInt32LE(20),
    payloadBytes: bytes.readUInt32LE(24),
    bodyCrc: bytes.readUInt32LE(28),
  };
}

export function frameBytes(header: FrameHeader): number {
  return FRAME_HEADER_BYTES + header.metaBytes + header.definitionsBytes + header.payloadBytes;
}

export function decodeMeta(text: string): FrameMeta | undefined {
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(values)) return undefined;
  const [stream, producer, first, count, holes, shed] = values as unknown[];
  if (typeof stream !== 'string' || typeof producer !== 'string') return undefined;
  if (!isNumber(first) || !isNumber(count) || !isNumber(holes) || !isNumber(shed)) return undefined;
  return { stream, producer, first, count, holes, shed };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

/** A whole frame, read back. `undefined` unless every byte is as it was written. */
export function decodeFrame(bytes: Buffer, number: number, marker: Buffer): SpoolBatch | undefined {
  const header = decodeFrameHeader(bytes, marker);
  if (header === undefined || header.number !== number || frameBytes(header) !== bytes.length)
    return undefined;
  const body = bytes.subarray(FRAME_HEADER_BYTES);
  if (crc32(body) !== header.bodyCrc) return undefined;
  const definitionsAt = header.metaBytes;
  const payloadAt = definitionsAt + header.definitionsBytes;
  const meta = decodeMeta(body.toString('utf8', 0, definitionsAt));
  if (meta === undefined) return undefined;
  return {
    ...meta,
    definitions: body.toString('utf8', definitionsAt, payloadAt),
    payload: body.subarray(payloadAt),
  };
}

import { canonicalRecord, type CanonicalRecord, type RawRecord } from './canonical.js';
import type { Call } from './calls.js';
import { runCall, type NestGeneration } from './nest-generations.js';

/** What a JSON `ConsoleLogger` makes of the call, in the form that both loggers are compared in. */
export async function consoleRecords(
  call: Call,
  generation: NestGeneration,
  form: (raw: RawRecord) => CanonicalRecord = canonicalRecord,
): Promise<CanonicalRecord[]> {
  const records: CanonicalRecord[] = [];
  await runCall(call, generation, (context) =>
    generation.createConsoleLogger(context, (raw) => records.push(form(raw))),
  );
  return records;
}

/** The lines that a JSON `ConsoleLogger` really writes for the call, parsed. It guards the oracle itself. */
export async function writtenLines(
  call: Call,
  generation: NestGeneration,
): Promise<Record<string, unknown>[]> {
  const text: string[] = [];
  const capture = (chunk: unknown): boolean => {
    text.push(String(chunk));
    return true;
  };
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => Object.getOwnPropertyDescriptor(stream, 'write'));
  for (const stream of streams) {
    Object.defineProperty(stream, 'write', { value: capture, configurable: true, writable: true });
  }
  try {
    await runCall(call, generation, (context) => generation.createWritingLogger(context));
  } finally {
    streams.forEach((stream, index) => {
      const original = originals[index];
      if (original === undefined) Reflect.deleteProperty(stream, 'write');
      else Object.defineProperty(stream, 'write', original);
    });
  }
  const lines = text.join('').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

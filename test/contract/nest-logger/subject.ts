import type { LoggerService } from '@nestjs/common';
import { type CallReading, type LogCall, readCall } from '../../../src/nest/logger/call-arguments.js';
import type { Level } from '../../../src/record/severity.js';
import { canonicalRecord, type CanonicalRecord } from './canonical.js';
import type { Call } from './calls.js';
import { type Emit, type NestGeneration, runCall } from './nest-generations.js';

/**
 * A logger under test: it makes the call in every way the call asks for and gives the records it wrote, in the
 * form that canonical.ts describes. Whatever replaces `readCallSubject` (the whole logger in front of a real
 * stream, say) brings its own translation of stored records into that form.
 */
export interface Subject {
  run(call: Call): Promise<CanonicalRecord[]>;
}

/** The reading of arguments alone, with nothing behind it. */
export function readCallSubject(generation: NestGeneration): Subject {
  return {
    async run(call) {
      const records: CanonicalRecord[] = [];
      await runCall(call, generation, (context) =>
        loggerOf({ style: generation.style, context }, (raw) => records.push(canonicalRecord(raw))),
      );
      return records;
    },
  };
}

function loggerOf(reading: CallReading, emit: Emit): LoggerService {
  const method =
    (level: Level) =>
    (...args: unknown[]): void =>
      emitCall(level, readCall(level, args, reading), emit);
  return {
    log: method('log'),
    error: method('error'),
    warn: method('warn'),
    debug: method('debug'),
    verbose: method('verbose'),
    fatal: method('fatal'),
  };
}

function emitCall(level: Level, call: LogCall, emit: Emit): void {
  call.messages.forEach((message, index) => {
    emit({
      level,
      context: call.context,
      message,
      params: call.params,
      stack: call.stack,
      error: index === 0 ? call.error : undefined,
    });
  });
}

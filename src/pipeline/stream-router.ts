import type { LogRecord } from '../record/log-record.js';

/** More names than that are a mistake, such as a user id in the name; every stream costs memory here and in Redis. */
export const MAX_STREAMS = 64;

export interface RouterEvents {
  /** The function failed, or gave something that is no stream's name; the record goes to the default stream. */
  badName(reason: string): void;
  /** The function named one stream too many. */
  tooMany(limit: number): void;
}

export interface StreamDefaults {
  readonly defaultStream: string;
  isName(name: unknown): boolean;
  /** Most names there may be. Default 64. */
  readonly maxNames?: number;
}

/** Finds the stream of a record. Never throws. */
export function streamRouter(
  stream: string | ((record: LogRecord) => string),
  defaults: StreamDefaults,
  events: RouterEvents,
): (record: LogRecord) => string {
  if (typeof stream === 'string') return () => stream;
  const { maxNames = MAX_STREAMS } = defaults;
  const known = new Set<string>([defaults.defaultStream]);
  return (record) => {
    let name: unknown;
    try {
      name = stream(record);
    } catch (error) {
      events.badName(error instanceof Error ? `it threw ${error.name}` : 'it threw');
      return defaults.defaultStream;
    }
    if (typeof name === 'string' && known.has(name)) return name;
    if (typeof name !== 'string' || !defaults.isName(name)) {
      events.badName(
        `it returned ${typeof name === 'string' ? JSON.stringify(name.slice(0, 80)) : typeof name}`,
      );
      return defaults.defaultStream;
    }
    if (known.size >= maxNames) {
      events.tooMany(maxNames);
      return defaults.defaultStream;
    }
    known.add(name);
    return name;
  };
}

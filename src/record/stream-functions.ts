import type { LogRecord } from './log-record.js';
import { severityClass } from './severity.js';

const CLASSES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/**
 * For the option `stream`: a stream for each severity, `<prefix>:trace` to `<prefix>:fatal`. So errors can be kept longer
 * than the rest, or have consumers of their own. A record without a severity is `info`.
 *
 * @example
 * RedisLogModule.forRoot({ stream: streamBySeverity('logs:shop') });
 */
export function streamBySeverity(prefix: string): (record: LogRecord) => string {
  const names = CLASSES.map((name) => `${prefix}:${name}`);
  return ({ severityNumber }) => names[severityClass(severityNumber)] ?? prefix;
}

/**
 * For the option `stream`: a stream for each service, `<prefix>:<service.name>`, where one process writes the records of
 * several, as a gateway or a collector does.
 *
 * @param prefix default `logs`
 */
export function streamByService(prefix = 'logs'): (record: LogRecord) => string {
  return ({ resource }) => {
    const name = resource.attributes['service.name'];
    return `${prefix}:${typeof name === 'string' && name !== '' ? name : 'unknown_service'}`;
  };
}

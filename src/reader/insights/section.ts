import { severityClass } from '../../record/severity.js';

/** The six classes of severity, by OpenTelemetry's names in small letters. */
const CLASS_NAMES = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** A class of severity: 17 to 20 are all `error`. */
export type InsightsLevel = (typeof CLASS_NAMES)[number];

/** What is counted together: the records of one service and level. */
export interface Section {
  readonly level: InsightsLevel;
  readonly service: string;
}

/** Services come from records, and make part of the names of keys. */
const MAX_SERVICE_LENGTH = 100;

export function sectionName(level: InsightsLevel, service: string): string {
  return `${level}:${sectionService(service)}`;
}

/** The name under which a service is counted. */
export function sectionService(service: string): string {
  return service.slice(0, MAX_SERVICE_LENGTH);
}

/** Undefined for what is no name of a section. */
export function parseSection(name: string): Section | undefined {
  const colon = name.indexOf(':');
  const level = CLASS_NAMES.find((known) => known === name.slice(0, colon));
  return level === undefined ? undefined : { level, service: name.slice(colon + 1) };
}

/** A record without a severity counts as `info`. */
export function levelOf(severityNumber: number | undefined): InsightsLevel {
  return CLASS_NAMES[severityClass(severityNumber)] ?? 'info';
}

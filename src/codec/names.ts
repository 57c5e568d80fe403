/**
 * The field names of a stream entry, version 1. This file is the wire contract's list of names: a field that
 * is added later starts with `@`, which readers of version 1 skip.
 */

/** The fields that every entry has, in this order, empty where there is nothing to say. */
export const LEADING_FIELDS = [
  'timestamp',
  'severity_number',
  'severity_text',
  'body',
  'trace_id',
  'span_id',
  'trace_flags',
  'otel.scope.name',
  'service.name',
  'resource',
  'producer',
  'seq',
] as const;

/** The fields that an entry has only where they are set, in this order, between the leading ones and the attributes. */
export const OPTIONAL_FIELDS = [
  'observed_timestamp',
  'otel.scope.version',
  'otel.scope.schema_url',
  'otel.scope.attributes',
  'otel.scope.dropped_attributes_count',
  'otel.event.name',
  'otel.dropped_attributes_count',
] as const;

/** A field with this name says that the entry is of another version of the contract. Version 1 has no such field. */
export const VERSION_FIELD = 'v';

/** The field that holds attributes as one JSON map: those that are not written as fields of their own. */
export const ATTRIBUTES_FIELD = 'attributes';

/** Stands before the name of an attribute whose own name is reserved. */
export const ATTRIBUTE_PREFIX = 'attributes.';

/** How many fields an entry has at most, `attributes` included: a script cannot pass many more in one call. */
export const MAX_FIELDS = 1_000;

const RESERVED: ReadonlySet<string> = new Set([
  ...LEADING_FIELDS,
  ...OPTIONAL_FIELDS,
  VERSION_FIELD,
  ATTRIBUTES_FIELD,
]);

const AT = 64;
const LETTER_A = 97;

function isReserved(name: string): boolean {
  const first = name.charCodeAt(0);
  if (first === AT) return true;
  return (first === LETTER_A && name.startsWith(ATTRIBUTE_PREFIX)) || RESERVED.has(name);
}

/** The field name under which an attribute is written: its own, or `attributes.<name>` where that is reserved. */
export function toFieldName(attributeName: string): string {
  return isReserved(attributeName) ? ATTRIBUTE_PREFIX + attributeName : attributeName;
}

/**
 * The name of the attribute that a field holds, or undefined for a field that holds no attribute: one of the
 * entry's own fields, or one of a later version (its name starts with `@`).
 */
export function fromFieldName(fieldName: string): string | undefined {
  const first = fieldName.charCodeAt(0);
  if (first === AT) return undefined;
  if (first === LETTER_A && fieldName.startsWith(ATTRIBUTE_PREFIX)) {
    return fieldName.slice(ATTRIBUTE_PREFIX.length);
  }
  return RESERVED.has(fieldName) ? undefined : fieldName;
}

/** Whether a name survives UTF-8: a surrogate without its other half does not, it becomes U+FFFD. */
export function isWellFormedName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if ((code & 0xf800) !== 0xd800) continue;
    if (code >= 0xdc00 || (name.charCodeAt(i + 1) & 0xfc00) !== 0xdc00) return false;
    i++;
  }
  return true;
}

/** Sets an own property whatever its name: assigning to `__proto__` would change the prototype instead. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    target[name] = value;
  }
}

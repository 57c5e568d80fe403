import type { InstrumentationScope } from '../record/log-record.js';
import { BoundedCache } from './bounded-cache.js';
import { decodeMap, encodeMap } from './tags.js';

/** Scopes that a reader keeps: one per Nest context, or per library and its version. */
const INTERNED_SCOPES = 4_096;

/** The fields of an entry that make up its scope, as they are written; empty where they are not. */
export interface ScopeFields {
  readonly name: string;
  readonly version: string;
  readonly schemaUrl: string;
  readonly attributes: string;
  readonly droppedAttributesCount: number;
}

const attributeTexts = new WeakMap<object, string>();

/** The scope's attributes as one JSON map, encoded once per scope; empty where there are none. */
export function scopeAttributesText(scope: InstrumentationScope): string {
  const { attributes } = scope;
  if (typeof attributes !== 'object' || attributes === null) return '';
  let text = attributeTexts.get(attributes);
  if (text === undefined) {
    text = encodeMap(attributes);
    if (text === '{}') text = '';
    attributeTexts.set(attributes, text);
  }
  return text;
}

const byName = new BoundedCache<InstrumentationScope>(INTERNED_SCOPES);
const byFields = new BoundedCache<InstrumentationScope>(INTERNED_SCOPES);

/** Every part but the last with its length, so that no two scopes have the same key. */
function keyOf(fields: ScopeFields): string {
  const { name, version, schemaUrl, attributes, droppedAttributesCount } = fields;
  return `${name.length} ${version.length} ${schemaUrl.length} ${droppedAttributesCount} ${name}${version}${schemaUrl}${attributes}`;
}

function decodeScope(fields: ScopeFields): InstrumentationScope {
  return Object.freeze({
    name: fields.name,
    version: fields.version === '' ? undefined : fields.version,
    schemaUrl: fields.schemaUrl === '' ? undefined : fields.schemaUrl,
    attributes: fields.attributes === '' ? undefined : Object.freeze(decodeMap(fields.attributes)),
    droppedAttributesCount: fields.droppedAttributesCount,
  });
}

/**
 * The scope of an entry: the same frozen object for the same fields, as the OTLP serializers group records by
 * it. Throws a RedisLogError (REDIS_LOG_MALFORMED) where the attributes are not a JSON map.
 */
export function internScope(fields: ScopeFields): InstrumentationScope {
  const { version, schemaUrl, attributes, droppedAttributesCount } = fields;
  const isBare = version === '' && schemaUrl === '' && attributes === '' && droppedAttributesCount === 0;
  const cache = isBare ? byName : byFields;
  const key = isBare ? fields.name : keyOf(fields);
  const interned = cache.get(key);
  if (interned !== undefined) return interned;
  const scope = decodeScope(fields);
  cache.set(key, scope);
  return scope;
}

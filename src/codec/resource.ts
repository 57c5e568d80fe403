/**
 * Resources are kept once per stream, and an entry names its own by a hash of the stored text. The text is
 * JSON by the value rule: `{"attributes":{...},"schemaUrl":"..."}`, the schema URL only where it is set.
 */
import { createHash } from 'node:crypto';
import type { Attributes, Resource } from '../record/log-record.js';
import { BoundedCache } from './bounded-cache.js';
import { decodeMap, encodeMap, isPlainMap } from './tags.js';

/** A resource as it is stored: the text, and the name by which entries refer to it. */
export interface EncodedResource {
  /** 12 base64url characters of the SHA-256 of the text. */
  readonly hash: string;
  /** JSON: the attributes in their order, and the schema URL. */
  readonly text: string;
}

interface KnownResource extends EncodedResource {
  readonly serviceName: string;
}

/** 72 bits: with a million resources in one stream, two share a hash with a probability of 1 in 10 billion. */
const HASH_LENGTH = 12;

/** Resources that a reader keeps: one per producing process and start, most of them of the last minutes. */
const INTERNED_RESOURCES = 1_024;

const NO_RESOURCE: Resource = { attributes: {} };

const known = new WeakMap<Resource, KnownResource>();
let lastPending: KnownResource | undefined;

function textOf(resource: Resource): string {
  const { attributes, schemaUrl } = resource;
  return typeof schemaUrl === 'string' && schemaUrl !== ''
    ? `{"attributes":${encodeMap(attributes)},"schemaUrl":${JSON.stringify(schemaUrl)}}`
    : `{"attributes":${encodeMap(attributes)}}`;
}

function describe(resource: Resource): KnownResource {
  const text = textOf(resource);
  if (lastPending?.text === text) return lastPending;
  const hash = createHash('sha256').update(text, 'utf8').digest('base64url').slice(0, HASH_LENGTH);
  const name: unknown = resource.attributes?.['service.name'];
  return { hash, text, serviceName: typeof name === 'string' ? name : '' };
}

/** The resource with the service name that its entries repeat. Throws only where a getter of the resource does. */
export function knownResource(resource: Resource): KnownResource {
  const usable = typeof resource === 'object' && resource !== null ? resource : NO_RESOURCE;
  const found = known.get(usable);
  if (found !== undefined) return found;
  const described = describe(usable);
  // A detector that has not answered yet will still add attributes: this is not the last word.
  if (usable.asyncAttributesPending === true) lastPending = described;
  else known.set(usable, described);
  return described;
}

/**
 * The text under which a resource is stored, and its hash. Each resource object is encoded once; one whose
 * detectors are still pending is encoded at every call. Resources with equal attributes in equal order have
 * equal hashes, in every process.
 */
export function encodeResource(resource: Resource): EncodedResource {
  const { hash, text } = knownResource(resource);
  return { hash, text };
}

const byText = new BoundedCache<Resource>(INTERNED_RESOURCES);
const byServiceName = new BoundedCache<Resource>(INTERNED_RESOURCES);

/** Shared by many records, so nobody may change it. */
function frozen(attributes: Attributes, schemaUrl: string | undefined): Resource {
  return Object.freeze({ attributes: Object.freeze(attributes), schemaUrl });
}

/**
 * The resource that a stored text describes: the same object for the same text, as the OTLP serializers group
 * records by it. Undefined where the text is not that of a resource. Never throws.
 */
export function decodeResource(text: string): Resource | undefined {
  const interned = byText.get(text);
  if (interned !== undefined) return interned;
  try {
    const { attributes, schemaUrl } = decodeMap(text);
    if (!isPlainMap(attributes) || (schemaUrl !== undefined && typeof schemaUrl !== 'string'))
      return undefined;
    const resource = frozen(attributes, schemaUrl);
    byText.set(text, resource);
    return resource;
  } catch {
    return undefined;
  }
}

/** The resource of a record whose stored text is not at hand: all that is known is the name of its service. */
export function resourceOfService(serviceName: string): Resource {
  const interned = byServiceName.get(serviceName);
  if (interned !== undefined) return interned;
  const resource = frozen(serviceName === '' ? {} : { 'service.name': serviceName }, undefined);
  byServiceName.set(serviceName, resource);
  return resource;
}

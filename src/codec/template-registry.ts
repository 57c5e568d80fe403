import type { InstrumentationScope, LogRecord, Resource } from '../record/log-record.js';
import { isWellFormedName, MAX_FIELDS, toFieldName } from './names.js';
import { type Field, PRODUCER, RESOURCE_HASH, SEQ, SERVICE_NAME, Template, VARIABLE } from './template.js';
import { scopeAttributesText } from './scope.js';
import { encodeValue } from './value.js';

/** Records of so many different shapes are not call sites any more: start over rather than grow. */
const MAX_NODES = 20_000;

/** Different severity texts, and choices of optional fields, that one severity of one scope is looked through for. */
const MAX_HEADS = 32;

/** Which of the optional fields a record has; part of its shape. */
export const HAS_OBSERVED = 1;
export const HAS_EVENT_NAME = 2;
export const HAS_DROPPED = 4;

/** How attributes are laid out: each as a field, all in one JSON field, or the named ones as fields. */
export type AttributeLayout = 'fields' | 'json' | ReadonlySet<string>;

/** A step on the way from a record's first attribute name to its last. The path is the shape. */
export class ShapeNode {
  readonly depth: number;
  /** How many fields there is room for behind the fixed ones. */
  readonly room: number;
  readonly #head: ShapeHead;
  readonly #parent: ShapeNode | undefined;
  readonly #name: string;
  #children: Map<string, ShapeNode> | undefined;
  #lastName: string | undefined;
  #lastChild: ShapeNode | undefined;
  #template: Template | undefined;
  #jsonTemplate: Template | undefined;

  constructor(head: ShapeHead, parent: ShapeNode | undefined, name: string) {
    this.#head = head;
    this.#parent = parent;
    this.#name = name;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.room = parent === undefined ? MAX_FIELDS - head.fields().length : parent.room;
  }

  /** The node of one more attribute. `undefined`: this name cannot be a field. */
  child(name: string): ShapeNode | undefined {
    if (name === this.#lastName) return this.#lastChild;
    let child = this.#children?.get(name);
    if (child === undefined) {
      if (!isWellFormedName(name)) return undefined;
      child = new ShapeNode(this.#head, this, name);
      (this.#children ??= new Map()).set(name, child);
      this.#head.registry.nodes++;
    }
    this.#lastName = name;
    this.#lastChild = child;
    return child;
  }

  /** The template of records that end here; `json`: with the JSON field for the attributes that are no fields. */
  template(json: boolean): Template {
    if (json) return (this.#jsonTemplate ??= this.#build(true));
    return (this.#template ??= this.#build(false));
  }

  #build(json: boolean): Template {
    const names: string[] = [];
    let parent = this.#parent;
    for (let name = this.#name; parent !== undefined; name = parent.#name, parent = parent.#parent) {
      names.push(toFieldName(name));
    }
    const fields = this.#head.fields();
    for (const name of names.reverse()) fields.push({ name, value: VARIABLE });
    if (json) fields.push({ name: 'attributes', value: VARIABLE });
    return new Template(fields, this.#head.resource);
  }
}

/** What is the same for all records of one resource, scope, severity and choice of optional fields. */
class ShapeHead {
  readonly registry: TemplateRegistry;
  readonly resource: Resource;
  readonly severityText: string | undefined;
  readonly flags: number;
  readonly root: ShapeNode;
  readonly #scope: InstrumentationScope;
  readonly #severityNumber: number | undefined;

  constructor(registry: TemplateRegistry, record: LogRecord, flags: number) {
    this.registry = registry;
    this.resource = record.resource;
    this.severityText = record.severityText;
    this.flags = flags;
    this.#scope = record.instrumentationScope;
    this.#severityNumber = record.severityNumber;
    this.root = new ShapeNode(this, undefined, '');
  }

  fields(): Field[] {
    const fields: Field[] = [
      { name: 'timestamp', value: VARIABLE },
      {
        name: 'severity_number',
        value: this.#severityNumber === undefined ? '' : String(this.#severityNumber),
      },
      { name: 'severity_text', value: this.severityText ?? '' },
      { name: 'body', value: VARIABLE },
      { name: 'trace_id', value: VARIABLE },
      { name: 'span_id', value: VARIABLE },
      { name: 'trace_flags', value: VARIABLE },
      { name: 'otel.scope.name', value: this.#scope.name },
      { name: 'service.name', value: SERVICE_NAME },
      { name: 'resource', value: RESOURCE_HASH },
      { name: 'producer', value: PRODUCER },
      { name: 'seq', value: SEQ },
    ];
    if (this.flags & HAS_OBSERVED) fields.push({ name: 'observed_timestamp', value: VARIABLE });
    fields.push(...scopeFields(this.#scope));
    if (this.flags & HAS_EVENT_NAME) fields.push({ name: 'otel.event.name', value: VARIABLE });
    if (this.flags & HAS_DROPPED) fields.push({ name: 'otel.dropped_attributes_count', value: VARIABLE });
    return fields;
  }
}

function scopeFields(scope: InstrumentationScope): Field[] {
  const fields: Field[] = [];
  if (scope.version) fields.push({ name: 'otel.scope.version', value: scope.version });
  if (scope.schemaUrl) fields.push({ name: 'otel.scope.schema_url', value: scope.schemaUrl });
  const attributes = scopeAttributesText(scope);
  if (attributes !== '') fields.push({ name: 'otel.scope.attributes', value: attributes });
  if (scope.droppedAttributesCount) {
    fields.push({ name: 'otel.scope.dropped_attributes_count', value: String(scope.droppedAttributesCount) });
  }
  return fields;
}

/** Finds the shape of a record by identity of its resource and scope, so that no key is built per record. */
export class TemplateRegistry {
  nodes = 0;
  #resources = new WeakMap<Resource, WeakMap<InstrumentationScope, ShapeHead[][]>>();
  #contents = new WeakMap<Resource, Map<string, ShapeHead[][]>>();
  #lastResource: Resource | undefined;
  #lastScopes: WeakMap<InstrumentationScope, ShapeHead[][]> | undefined;

  root(record: LogRecord, flags: number): ShapeNode {
    if (this.nodes > MAX_NODES) this.#startOver();
    const heads = this.#heads(record);
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i];
      if (head !== undefined && head.flags === flags && head.severityText === record.severityText) {
        return head.root;
      }
    }
    // Texts that change with every record are no call sites either.
    if (heads.length >= MAX_HEADS) heads.length = 0;
    const head = new ShapeHead(this, record, flags);
    heads.push(head);
    this.nodes++;
    return head.root;
  }

  #heads(record: LogRecord): ShapeHead[] {
    let scopes = record.resource === this.#lastResource ? this.#lastScopes : undefined;
    if (scopes === undefined) {
      scopes = this.#resources.get(record.resource);
      if (scopes === undefined) {
        scopes = new WeakMap();
        this.#resources.set(record.resource, scopes);
      }
      this.#lastResource = record.resource;
      this.#lastScopes = scopes;
    }
    let bySeverity = scopes.get(record.instrumentationScope);
    if (bySeverity === undefined) {
      bySeverity = this.#sameScope(record);
      scopes.set(record.instrumentationScope, bySeverity);
    }
    const severity = record.severityNumber ?? 25;
    return (bySeverity[severity] ??= []);
  }

  /** A scope object not seen before may still describe a known scope: some callers make one per record. */
  #sameScope(record: LogRecord): ShapeHead[][] {
    const { name, version, schemaUrl, attributes, droppedAttributesCount } = record.instrumentationScope;
    let byScope = this.#contents.get(record.resource);
    if (byScope === undefined) {
      byScope = new Map();
      this.#contents.set(record.resource, byScope);
    }
    const details = version || schemaUrl || attributes || droppedAttributesCount;
    const key = details
      ? JSON.stringify([name, version, schemaUrl, encodeValue(attributes), droppedAttributesCount])
      : name;
    let heads = byScope.get(key);
    if (heads === undefined) {
      heads = [];
      byScope.set(key, heads);
      this.nodes++;
    }
    return heads;
  }

  #startOver(): void {
    this.nodes = 0;
    this.#contents = new WeakMap();
    this.#resources = new WeakMap();
    this.#lastResource = undefined;
    this.#lastScopes = undefined;
  }
}

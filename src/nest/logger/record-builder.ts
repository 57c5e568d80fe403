import * as api from '@opentelemetry/api';
import { exceptionAttributes } from '../../record/exception.js';
import type {
  Attributes,
  HrTime,
  InstrumentationScope,
  LogRecord,
  Resource,
  SpanContext,
} from '../../record/log-record.js';
import { Normalizer } from '../../record/normalize.js';
import type { Redactor } from '../../record/redact.js';
import { type Level, SEVERITY_NUMBERS } from '../../record/severity.js';
import { noteLoggedError, wasLogged } from '../context/logged-errors.js';
import { attributesOf, currentScope, type Scope } from '../context/scope.js';
import type { LogCall } from './call-arguments.js';
import { isForeignError, isOwnError, messageOf } from './call-values.js';
import { loggedError } from './logged-error.js';

/** When a call was made, and in which span and context. */
export interface Moment {
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly spanContext: SpanContext | undefined;
  readonly scope: Scope | undefined;
}

/**
 * What a record can hold as it is: texts that are well-formed and not long, finite numbers, and booleans; no name twice,
 * and nothing undefined. The attributes become the record's.
 */
export interface ReadyParts {
  readonly body: string;
  readonly attributes: Attributes;
  readonly context: string;
}

/** Nest contexts are class names; an application that makes up new ones all the time must not fill the memory. */
const MAX_SCOPES = 1_000;
/** Where Nest logs what nobody has caught. What its thrower has logged has its stack there, in the same request. */
const EXCEPTION_HANDLERS = new Set<string | undefined>([
  'ExceptionsHandler',
  'RpcExceptionsHandler',
  'WsExceptionsHandler',
]);
const NO_SCOPE: InstrumentationScope = { name: '' };

export function thisMoment(): Moment {
  return { time: Date.now(), spanContext: activeSpan(), scope: currentScope() };
}

let lastTraceId = '';
let lastSpanId = '';

export function activeSpan(): SpanContext | undefined {
  const spanContext = api.trace.getSpanContext(api.context.active());
  if (spanContext === undefined) return undefined;
  // The records of a request share their span, and the test looks at every digit.
  const { traceId, spanId } = spanContext;
  if (traceId === lastTraceId && spanId === lastSpanId) return spanContext;
  if (!api.isSpanContextValid(spanContext)) return undefined;
  lastTraceId = traceId;
  lastSpanId = spanId;
  return spanContext;
}

/** Makes records of what a log call was given: bounded, censored, and sharing nothing with the caller. */
export class RecordBuilder {
  readonly #resource: Resource;
  readonly #redactor: Redactor | undefined;
  readonly #normalizer = new Normalizer();
  readonly #scopes = new Map<string, InstrumentationScope>();

  constructor(resource: Resource, redactor: Redactor | undefined) {
    this.#resource = resource;
    this.#redactor = redactor;
  }

  /** The record of the call's message number `index`. */
  build(level: Level, call: LogCall, at: { readonly moment: Moment; readonly index: number }): LogRecord {
    const { moment, index } = at;
    const normalizer = this.#normalizer;
    normalizer.begin();
    const message = call.messages[index];
    const attributes: Attributes = {};
    if (call.params !== undefined) normalizer.attributes(call.params, attributes);
    const isError = index > 0 && (isOwnError(message) || isForeignError(message));
    const error = isError ? message : index === 0 ? call.error : undefined;
    const body = normalizer.value(isError ? messageOf(message) : message);
    const thrown = error ?? loggedError(call.params, attributes) ?? loggedError(message, body);
    if (thrown !== undefined) {
      exceptionAttributes(thrown, attributes, normalizer);
      tellOnce(thrown, attributes, { level, context: call.context, scope: moment.scope });
    }
    if (call.stack !== undefined) writeStack(call.stack, attributes, normalizer);
    const hrTime = hrTimeOf(moment.time);
    const record = {
      hrTime,
      hrTimeObserved: hrTime,
      spanContext: moment.spanContext,
      severityNumber: SEVERITY_NUMBERS[level],
      severityText: level,
      body,
      eventName: undefined,
      resource: this.#resource,
      instrumentationScope: this.#scope(call.context),
      attributes,
      droppedAttributesCount: normalizer.droppedAttributes,
    };
    if (normalizer.truncations > 0) attributes['log.truncations'] = normalizer.truncations;
    const censored = this.#censored(record);
    return moment.scope === undefined ? censored : this.#inContext(censored, moment.scope);
  }

  /** The same of parts that need neither a copy nor bounds, at a third of the cost. */
  ready(level: Level, parts: ReadyParts, { time, spanContext, scope }: Moment): LogRecord {
    const { attributes } = parts;
    this.#redactor?.redact(attributes);
    const inherited = scope === undefined ? undefined : this.inherited(scope);
    const hrTime = hrTimeOf(time);
    return {
      hrTime,
      hrTimeObserved: hrTime,
      spanContext,
      severityNumber: SEVERITY_NUMBERS[level],
      severityText: level,
      body: this.#redactor === undefined ? parts.body : this.#redactor.text(parts.body),
      eventName: undefined,
      resource: this.#resource,
      instrumentationScope: this.#scope(parts.context),
      attributes: inherited === undefined ? attributes : { ...inherited, ...attributes },
      droppedAttributesCount: 0,
    };
  }

  /** A record that another builder made, as this one would have made it. */
  adopt(record: LogRecord): LogRecord {
    const instrumentationScope = this.#scope(record.instrumentationScope.name);
    return this.#censored({ ...record, resource: this.#resource, instrumentationScope });
  }

  /** With the attributes of its context, those of its own winning. */
  #inContext(record: LogRecord, scope: Scope): LogRecord {
    const inherited = this.inherited(scope);
    return inherited === undefined
      ? record
      : { ...record, attributes: { ...inherited, ...record.attributes } };
  }

  /** The attributes of a context, bounded and censored once, for all records until something is assigned. */
  inherited(scope: Scope): Attributes | undefined {
    const { prepared, root } = scope;
    if (prepared?.by === this && prepared.version === root.version) return prepared.attributes;
    const { version } = root;
    const attributes: Attributes = {};
    this.#normalizer.begin();
    this.#normalizer.attributes(attributesOf(scope), attributes);
    this.#redactor?.redact(attributes);
    const isEmpty = Object.keys(attributes).length === 0;
    scope.prepared = { by: this, version, attributes: isEmpty ? undefined : attributes };
    return scope.prepared.attributes;
  }

  #censored(record: LogRecord): LogRecord {
    const redactor = this.#redactor;
    if (redactor === undefined) return record;
    redactor.redact(record.attributes);
    const { body } = record;
    if (typeof body === 'string') {
      const text = redactor.text(body);
      return text === body ? record : { ...record, body: text };
    }
    if (typeof body === 'object' && body !== null) {
      // As an attribute of its own, so that what is inside is found at any depth.
      const holder: Attributes = Array.isArray(body) ? { body } : (body as Attributes);
      redactor.redact(holder);
    }
    return record;
  }

  #scope(context: string | undefined): InstrumentationScope {
    if (context === undefined || context === '') return NO_SCOPE;
    let scope = this.#scopes.get(context);
    if (scope === undefined) {
      if (this.#scopes.size >= MAX_SCOPES) this.#scopes.clear();
      const name = this.#normalizer.value(context) as string;
      // A text that comes last is the context, also where it was meant to be logged.
      scope = { name: this.#redactor?.text(name) ?? name };
      this.#scopes.set(context, scope);
    }
    return scope;
  }
}

/** A stack given as text is the exception's; beside an error with a stack of its own it is the call's. */
function writeStack(stack: string, attributes: Attributes, normalizer: Normalizer): void {
  const own = attributes['exception.stacktrace'];
  const text = normalizer.value(stack);
  if (own === undefined) attributes['exception.stacktrace'] = text;
  else if (own !== text) attributes['code.stacktrace'] = text;
}

interface Telling {
  readonly level: Level;
  readonly context: string | undefined;
  readonly scope: Scope | undefined;
}

/** The stack of an error is in one record of a request, the first. */
function tellOnce(thrown: unknown, attributes: Attributes, { level, context, scope }: Telling): void {
  if (EXCEPTION_HANDLERS.has(context) && wasLogged(thrown, scope)) {
    for (const name in attributes) {
      if (name.startsWith('exception.') && name.endsWith('stacktrace')) delete attributes[name];
    }
  }
  if (SEVERITY_NUMBERS[level] >= SEVERITY_NUMBERS.error) noteLoggedError(thrown, scope);
}

function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

import { ConsoleLogger } from '@nestjs/common';
import { inspect } from 'node:util';
import type { Attributes, SpanContext } from '../../record/log-record.js';
import { Normalizer } from '../../record/normalize.js';
import { type Level, LEVELS } from '../../record/severity.js';
import { type CallStyle, detectCallStyle } from './call-arguments.js';
import { isOwnError, isPlainObject, mergeParams } from './call-values.js';

/** What is printed of a call beside its arguments. */
export interface Surroundings {
  readonly style: CallStyle;
  readonly spanContext: SpanContext | undefined;
  /** Of the context in which the call was made; censored. */
  readonly attributes: Attributes | undefined;
}

type PrintMessages = Parameters<ConsoleLogger['printMessages']>;
type JsonLine = ReturnType<ConsoleLogger['getJsonLogObject']>;

const NATIVE_STYLE = detectCallStyle();
/** The first releases of Nest 11 make a line of JSON in one go: nothing can be added there, so nothing is taken out. */
const CAN_ADD_TO_JSON = typeof ConsoleLogger.prototype['getJsonLogObject'] === 'function';
const NOWHERE: Surroundings = { style: NATIVE_STYLE, spanContext: undefined, attributes: undefined };

/**
 * Nest's own printer. Its lines of JSON have, too, the attributes of the context, among the `params`, and the ids of the
 * span. On Nest 11 it prints a call of the structured style as Nest 12 does: one line with `params` and `error`.
 */
export class LinePrinter extends ConsoleLogger {
  #surroundings = NOWHERE;
  /** What Nest 11 knows nothing of: parameters of the call at hand, and its error until it is printed. */
  #params: Attributes | undefined;
  #error: Error | undefined;

  constructor(format: 'pretty' | 'json') {
    // Levels are decided before a call gets here.
    super({ logLevels: [...LEVELS], json: format === 'json' });
  }

  /** May throw what a hostile argument throws. */
  printCall(level: Level, args: readonly unknown[], surroundings: Surroundings): void {
    this.#surroundings = surroundings;
    const isStructured = surroundings.style === 'structured';
    this.options.structuredParams = isStructured;
    try {
      const canAdd = CAN_ADD_TO_JSON || this.options.json !== true;
      const isOurs = isStructured && NATIVE_STYLE === 'separate' && canAdd;
      const [message, ...rest] = isOurs ? this.#takeParams(args) : args;
      this[level](message, ...rest);
    } finally {
      this.#surroundings = NOWHERE;
      this.#params = undefined;
      this.#error = undefined;
    }
  }

  /** The arguments without the plain objects after the message. */
  #takeParams([message, ...rest]: readonly unknown[]): readonly unknown[] {
    const objects = rest.filter(isPlainObject);
    if (objects.length > 0) {
      this.#params = {};
      for (const object of objects) mergeParams(this.#params, object);
    }
    return [message, ...rest.filter((arg) => !isPlainObject(arg))];
  }

  protected override printMessages(...[messages, ...rest]: PrintMessages): void {
    const isOurs = this.#surroundings.style !== NATIVE_STYLE && NATIVE_STYLE === 'separate';
    const error =
      isOurs && CAN_ADD_TO_JSON && this.options.json === true ? messages.find(isOwnError) : undefined;
    if (error === undefined) return super.printMessages(messages, ...rest);
    this.#error = error;
    const others = messages.filter((message) => message !== error);
    super.printMessages(messages[0] === error ? [error.message, ...others] : others, ...rest);
  }

  protected override getJsonLogObject(...given: Parameters<ConsoleLogger['getJsonLogObject']>): JsonLine {
    const line = super.getJsonLogObject(...given);
    const { spanContext, attributes } = this.#surroundings;
    if (this.#error !== undefined) line.error = serialized(this.#error);
    this.#error = undefined;
    const params = line.params ?? this.#params;
    if (params !== undefined || attributes !== undefined) line.params = { ...attributes, ...params };
    if (spanContext === undefined) return line;
    const { traceId: trace_id, spanId: span_id } = spanContext;
    return { ...line, trace_id, span_id };
  }

  protected override formatMessage(...given: Parameters<ConsoleLogger['formatMessage']>): string {
    const text = super.formatMessage(...given);
    if (this.#params === undefined) return text;
    const params = inspect(this.#params, { ...this.inspectOptions, compact: true, breakLength: Infinity });
    return `${text.slice(0, -1)} ${params}\n`;
  }
}

function serialized(error: Error): Attributes {
  const { type: name, ...parts } = new Normalizer().value(error) as Attributes;
  return { name, ...parts };
}

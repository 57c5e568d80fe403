import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { createDiagnostics, type Diagnostics, describeError } from '../../diagnostics.js';
import type { ResolvedHttpOptions } from '../../options/types.js';
import type { Attributes } from '../../record/log-record.js';
import type { Redactor } from '../../record/redact.js';
import { type Level, LEVELS, SEVERITY_NUMBERS } from '../../record/severity.js';
import { wasLogged, wasLoggedAround } from '../context/logged-errors.js';
import { currentScope, runIn, type Scope, scopeOf } from '../context/scope.js';
import type { CallReading } from '../logger/call-arguments.js';
import { isOwnError } from '../logger/call-values.js';
import type { LoggerCore } from '../logger/logger-core.js';
import { activeSpan } from '../logger/record-builder.js';
import {
  bytesOf,
  type Exchange,
  exchangeOf,
  type FrameworkReply,
  type FrameworkRequest,
  keepExchange,
  type RawResponse,
} from './exchange.js';
import { defaultLevel, isFailure, type Outcome, outcomeOf } from './outcome.js';
import { pathFilter } from './path-filter.js';
import { requestAttributes, urlOf } from './request-attributes.js';
import { givenId, madeId } from './request-id.js';
import { pathOf, queryOf } from './url-parts.js';

/** What the requests' records have as their context, so that `levels: { HTTP: 'warn' }` applies to them. */
const CONTEXT = 'HTTP';
/** Texts up to this length are below every limit of a record. */
const MAX_READY_CHARS = 1_024;
const LEVEL_HINT = `The default was taken. Return one of ${LEVELS.join(', ')}, or undefined.`;
const READING: CallReading = { style: 'structured', context: CONTEXT };

export interface RequestLogParts {
  readonly core: LoggerCore;
  /** For the parts of the URL, which are texts of their own, and escaped. */
  readonly redactor: Redactor | undefined;
  readonly options: ResolvedHttpOptions;
}

/** Follows requests from their first moment to their last, and writes one record of each. No method throws. */
export class RequestLog {
  readonly #core: LoggerCore;
  readonly #redactor: Redactor | undefined;
  readonly #options: ResolvedHttpOptions;
  readonly #isIgnored: ReturnType<typeof pathFilter>;
  readonly #diagnostics: Diagnostics = createDiagnostics();

  constructor({ core, redactor, options }: RequestLogParts) {
    this.#core = core;
    this.#redactor = redactor;
    this.#options = options;
    this.#isIgnored = pathFilter(options.ignore);
  }

  /**
   * The framework has answered a request by itself, or will, without any of the hooks that call `begin`: Fastify does so
   * with a URL that it cannot read. Does nothing where `begin` was called.
   */
  noteRefused(request: FrameworkRequest, response: ServerResponse): void {
    if (exchangeOf(request) === undefined) this.#open(request, response);
  }

  /** A request has come; `next` is all that is done about it, and runs in a context of its own. */
  begin(request: FrameworkRequest, reply: FrameworkReply, next: () => void): void {
    const known = exchangeOf(request);
    if (known !== undefined) {
      // Fastify's own request comes after that of Node, and knows more.
      known.request = request;
      known.reply = reply;
      if (known.bytesBefore === undefined) {
        known.peer = this.#ask('client.address', () => addressOf(request)) ?? known.peer;
      }
      return currentScope() === known.scope ? next() : runIn(known.scope, next);
    }
    const exchange = this.#open(request, reply);
    if (exchange === undefined) next();
    else runIn(exchange.scope, next);
  }

  #open(request: FrameworkRequest, reply: FrameworkReply): Exchange | undefined {
    try {
      const response: RawResponse = reply.raw ?? (reply as ServerResponse);
      const bytesBefore = bytesOf(response);
      const exchange: Exchange = {
        request,
        reply,
        response,
        startedAt: performance.now(),
        bytesBefore,
        // Node remembers it once it was asked, which `ip` of Express and Fastify needs after the client has gone.
        peer: bytesBefore === undefined ? addressOf(request) : request.socket?.remoteAddress,
        source: undefined,
        spanContext: activeSpan(),
        scope: scopeOf(this.#identify(request, reply)),
        route: undefined,
        isSkipped: this.#isLeftOut(request),
        isEventStream: false,
        isOver: false,
      };
      keepExchange(request, exchange);
      // Whichever comes first; `once` would cost twice as much.
      response.on('finish', () => this.#end(exchange, true));
      response.on('close', () => this.#end(exchange, false));
      response.on('pipe', noteSource);
      return exchange;
    } catch (error) {
      this.#tell('begin', error);
      return undefined;
    }
  }

  #identify(request: FrameworkRequest, reply: FrameworkReply): Attributes {
    const { requestId } = this.#options;
    if (requestId === false) return {};
    const id =
      givenId(request, requestId.header) ??
      this.#ask('requestId.generate', () => madeId(request, requestId.generate)) ??
      madeId(request, undefined);
    if (reply.raw !== undefined) reply.header?.(requestId.header, id);
    else if (reply.headersSent !== true) reply.setHeader?.(requestId.header, id);
    return { 'request.id': id };
  }

  #isLeftOut(request: FrameworkRequest): boolean {
    if (this.#isIgnored?.(pathOf(urlOf(request))) === true) return true;
    return this.#ask('ignoreIf', () => this.#options.ignoreIf?.(request)) === true;
  }

  #end(exchange: Exchange, hasFinished: boolean): void {
    if (exchange.isOver) return;
    exchange.isOver = true;
    if (exchange.isSkipped) return;
    try {
      const outcome = outcomeOf(exchange, hasFinished);
      const level = this.#levelOf(exchange, outcome);
      if (this.#core.isEnabled(level, CONTEXT)) this.#write(level, exchange, outcome);
    } catch (error) {
      this.#tell('end', error);
    }
  }

  #levelOf({ request }: Exchange, outcome: Outcome): Level {
    const { level } = this.#options;
    const asked = level && this.#ask('level', () => level(outcome.statusCode, request));
    if (asked !== undefined) {
      if (Object.hasOwn(SEVERITY_NUMBERS, asked)) return asked;
      this.#diagnostics.warn('http:level', `Request logging: level returned what is no level. ${LEVEL_HINT}`);
    }
    return defaultLevel(outcome);
  }

  #write(level: Level, exchange: Exchange, outcome: Outcome): void {
    const { request, spanContext, scope, startedAt } = exchange;
    const redactor = this.#redactor;
    const durationMs = performance.now() - startedAt;
    const attributes = requestAttributes(exchange, outcome, { durationMs, redactor });
    const body = titleOf(attributes, outcome);
    const args: unknown[] = [body, attributes];
    const query = this.#options.query ? queryOf(urlOf(request), redactor) : undefined;
    if (query !== undefined) attributes['url.query'] = query;
    if (isFailure(outcome)) {
      const error = outcome.cause ?? scope.root.thrown ?? scope.root.loggedError;
      attributes['error.type'] =
        typeOf(error) ?? (outcome.end === 'failed' ? '_OTHER' : `${outcome.statusCode}`);
      // Its stack is in one record: that of whoever logged it, or else this one.
      if (isOwnError(error) && !isLogged(error, scope, outcome)) args.push(error);
    }
    const more = this.#options.attributes;
    if (more !== undefined) {
      Object.assign(
        attributes,
        this.#ask('attributes', () => ({ ...more(request, outcome.statusCode) })),
      );
    }
    const moment = { time: Date.now(), spanContext, scope };
    // What is our own, and nothing else, needs no copy.
    const isReady = more === undefined && args.length === 2 && areShort(attributes);
    if (isReady) this.#core.writeReady(level, { body, attributes, context: CONTEXT }, moment);
    else this.#core.writeAt(level, args, { reading: READING, moment });
  }

  /** What a function of the user's says; undefined when it throws. */
  #ask<T>(option: string, question: () => T): T | undefined {
    try {
      return question();
    } catch (error) {
      this.#tell(option, error);
      return undefined;
    }
  }

  #tell(what: string, error: unknown): void {
    this.#diagnostics.warn(`http:${what}`, `Request logging: ${what} failed: ${describeError(error)}`);
  }
}

/** The other end, by the rules of the framework where it has any; to be asked while there is a connection. */
function addressOf({ ip, socket }: FrameworkRequest): string | undefined {
  return ip ?? socket?.remoteAddress;
}

/** One function for all responses: most have nothing piped into them. */
function noteSource(this: ServerResponse, source: Readable): void {
  const exchange = exchangeOf(this.req);
  if (exchange !== undefined) exchange.source = source;
}

/** What a response broke off with has often come from elsewhere than the request, such as from the disk. */
function isLogged(error: Error, scope: Scope, { cause }: Outcome): boolean {
  return wasLogged(error, scope) || (error === cause && wasLoggedAround(error, scope, 0));
}

/** Long texts are cut where all that is logged is; those that Node reads from a connection are always well-formed. */
function areShort(attributes: Attributes): boolean {
  for (const name in attributes) {
    const value = attributes[name];
    if (typeof value === 'string' && value.length > MAX_READY_CHARS) return false;
  }
  return true;
}

/** By the route where there is one, so that requests of one kind have one text. */
function titleOf(attributes: Attributes, { statusCode, end }: Outcome): string {
  const where = attributes['http.route'] ?? attributes['url.path'];
  const how = end === 'complete' ? `${statusCode}` : end;
  return `${String(attributes['http.request.method'])} ${String(where)} ${how}`;
}

function typeOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (!isOwnError(error)) return typeof error;
  return error.constructor?.name ?? error.name;
}

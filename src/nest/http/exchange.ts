import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { SpanContext } from '../../record/log-record.js';
import type { Scope } from '../context/scope.js';

/** As much as is used of the request of Express, and of Fastify's, which has the one of Node as `raw`. */
export interface FrameworkRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw?: IncomingMessage;
  readonly ip?: string;
  /** Of Node's own request; Fastify has it as well. On HTTP/2 there is none after the end. */
  readonly socket?: Partial<Socket> | null;
  /** Of Node's own request. */
  readonly errored?: Error | null;
  readonly hostname?: string;
  readonly protocol?: string;
  readonly originalUrl?: string;
  /** Express: where a router is mounted, and the route that was matched last. */
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown };
  /** Fastify: the route that was matched. */
  readonly routeOptions?: { readonly url?: string | undefined };
}

/** As much as is used of the reply of Fastify; without `raw`, the response of Express itself. */
export interface FrameworkReply {
  readonly raw?: ServerResponse;
  getHeader(name: string): unknown;
  /** Of Fastify's. */
  header?(name: string, value: string): unknown;
  /** Of Node's and Express'; so is the next. */
  readonly headersSent?: boolean;
  setHeader?(name: string, value: string): unknown;
}

/** The response of Node; that of HTTP/2 has the stream it goes over. */
export type RawResponse = ServerResponse & { readonly stream?: ServerHttp2Stream };

/** One request and its response, as far as they have got. */
export interface Exchange {
  request: FrameworkRequest;
  reply: FrameworkReply;
  readonly response: RawResponse;
  /** Milliseconds of a monotonic clock. */
  readonly startedAt: number;
  /** What the connection had written before; undefined on HTTP/2, where requests share it. */
  readonly bytesBefore: number | undefined;
  /** The address at the other end, read while there is one. */
  peer: string | undefined;
  /** What is piped into the response, if anything is. */
  source: Readable | undefined;
  readonly spanContext: SpanContext | undefined;
  readonly scope: Scope;
  /** The template of the route, once a handler of Nest's is about to be called. */
  route: string | undefined;
  isSkipped: boolean;
  /** By its handler; a response may also say so itself. */
  isEventStream: boolean;
  isOver: boolean;
}

/** What the connection has written so far; undefined on HTTP/2, where requests share it. */
export function bytesOf({ req }: RawResponse): number | undefined {
  return req?.httpVersionMajor === 1 ? req.socket?.bytesWritten : undefined;
}

const EXCHANGE = Symbol.for('nestjs-redis-log.exchange');

interface Marked {
  [EXCHANGE]?: Exchange;
}

/** The exchange of a request of either framework; undefined when requests are not logged. */
export function exchangeOf(request: unknown): Exchange | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const raw = (request as FrameworkRequest).raw ?? request;
  return (raw as Marked)[EXCHANGE];
}

export function keepExchange(request: FrameworkRequest, exchange: Exchange): void {
  ((request.raw ?? request) as Marked)[EXCHANGE] = exchange;
}

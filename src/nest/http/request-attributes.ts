import type { Attributes } from '../../record/log-record.js';
import type { Redactor } from '../../record/redact.js';
import type { Exchange, FrameworkRequest } from './exchange.js';
import type { Outcome } from './outcome.js';

/** Those of RFC 9110, PATCH and QUERY; the conventions want all others under one name. */
const METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

/**
 * Attributes of a request by the HTTP semantic conventions of OpenTelemetry, always in one order. Beside these
 * `duration_ms`, and `request.aborted` where the client went.
 */
export function requestAttributes(exchange: Exchange, outcome: Outcome, durationMs: number): Attributes {
  const { request } = exchange;
  const { method } = request;
  const isKnown = METHODS.has(method);
  const attributes: Attributes = { 'http.request.method': isKnown ? method : '_OTHER' };
  if (!isKnown) attributes['http.request.method_original'] = method;
  const route = routeOf(exchange, outcome);
  if (route !== undefined) attributes['http.route'] = route;
  attributes['url.path'] = pathOf(urlOf(request));
  addEnds(attributes, request);
  if (outcome.statusCode !== undefined) attributes['http.response.status_code'] = outcome.statusCode;
  addSize(attributes, exchange, outcome);
  attributes['duration_ms'] = Math.round(durationMs * 1_000) / 1_000;
  if (outcome.end === 'aborted') attributes['request.aborted'] = true;
  return attributes;
}

/** Where it came from, and where it was sent to. */
function addEnds(attributes: Attributes, request: FrameworkRequest): void {
  const { protocol, hostname, headers, ip = request.socket?.remoteAddress } = request;
  if (protocol !== undefined) attributes['url.scheme'] = protocol;
  if (hostname !== undefined) attributes['server.address'] = hostname;
  if (ip !== undefined) attributes['client.address'] = ip;
  const agent = headers['user-agent'];
  if (agent !== undefined) attributes['user_agent.original'] = agent;
}

/** As it was sent: routers change `url` on their way. */
export function urlOf(request: FrameworkRequest): string {
  return request.originalUrl ?? request.url;
}

export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** The query with the values of secret names replaced; undefined where there is none. */
export function queryOf(url: string, redactor: Redactor | undefined): string | undefined {
  const start = url.indexOf('?');
  if (start < 0) return undefined;
  const query = url.slice(start + 1);
  if (redactor === undefined || query === '') return query;
  return query
    .split('&')
    .map((pair) => cleanPair(pair, redactor))
    .join('&');
}

function cleanPair(pair: string, redactor: Redactor): string {
  const equals = pair.indexOf('=');
  if (equals < 0) return pair;
  const value = pair.slice(equals + 1);
  const name = decoded(pair.slice(0, equals));
  // A name such as user[password] holds a secret too.
  const holder: Attributes = {};
  for (const part of new Set([name, ...name.split(/[.[\]]+/)])) if (part !== '') holder[part] = value;
  redactor.redact(holder);
  const changed = Object.values(holder).find((each) => each !== value);
  const isClean = changed === undefined && Object.keys(holder).length > 0;
  return isClean ? pair : `${pair.slice(0, equals)}=${typeof changed === 'string' ? changed : '[Redacted]'}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/**
 * The template of the route that a handler of Nest's was called by. A handler that was registered with the framework
 * itself is known by what Express matched last, where that is not the pattern of a middleware.
 */
export function routeOf({ route, request }: Exchange, { statusCode }: Outcome): string | undefined {
  if (route !== undefined) return route;
  const matched = matchedRoute(request);
  return statusCode === 404 || matched?.includes('*') ? undefined : matched;
}

/** The template of the route that the framework has matched so far. */
export function matchedRoute(request: FrameworkRequest): string | undefined {
  const { routeOptions, route, baseUrl = '' } = request;
  if (routeOptions !== undefined) return routeOptions.url;
  return typeof route?.path === 'string' ? baseUrl + route.path : undefined;
}

/** The body's size where the response says it; else what went over the connection, heads included. */
function addSize(attributes: Attributes, exchange: Exchange, { end }: Outcome): void {
  const { response, reply, request, bytesBefore } = exchange;
  const stated = reply.getHeader('content-length');
  const length = stated === undefined ? NaN : Number(stated);
  if (end === 'complete' && length >= 0) {
    attributes['http.response.body.size'] = request.method === 'HEAD' ? 0 : length;
    return;
  }
  const bytes = bytesBefore === undefined ? undefined : bytesOf(response);
  if (bytes !== undefined) attributes['http.response.size'] = Math.max(0, bytes - (bytesBefore ?? 0));
}

/** What the connection has written so far; undefined on HTTP/2, where requests share it. */
export function bytesOf({ req }: Exchange['response']): number | undefined {
  return req?.httpVersionMajor === 1 ? req.socket?.bytesWritten : undefined;
}

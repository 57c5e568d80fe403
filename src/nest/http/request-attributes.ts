import type { Attributes } from '../../record/log-record.js';
import type { Redactor } from '../../record/redact.js';
import { bytesOf, type Exchange, type FrameworkRequest } from './exchange.js';
import type { Outcome } from './outcome.js';
import { cleanPath, pathOf } from './url-parts.js';

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

/** What else the record of a request is made of. */
interface RequestFacts {
  readonly durationMs: number;
  /** For what is escaped: all else is redacted with the record. */
  readonly redactor: Redactor | undefined;
}

/**
 * Attributes of a request by the HTTP semantic conventions of OpenTelemetry, always in one order. Beside these
 * `duration_ms`, and `request.aborted` where the client went.
 */
export function requestAttributes(exchange: Exchange, outcome: Outcome, more: RequestFacts): Attributes {
  const { request } = exchange;
  const { durationMs, redactor } = more;
  const { method } = request;
  const isKnown = METHODS.has(method);
  const attributes: Attributes = { 'http.request.method': isKnown ? method : '_OTHER' };
  if (!isKnown) attributes['http.request.method_original'] = method;
  const route = routeOf(exchange, outcome);
  if (route !== undefined) attributes['http.route'] = route;
  attributes['url.path'] = cleanPath(pathOf(urlOf(request)), redactor);
  addEnds(attributes, exchange);
  if (outcome.statusCode !== undefined) attributes['http.response.status_code'] = outcome.statusCode;
  addSize(attributes, exchange, outcome);
  attributes['duration_ms'] = Math.round(durationMs * 1_000) / 1_000;
  if (outcome.end === 'aborted') attributes['request.aborted'] = true;
  return attributes;
}

/** Where it came from, and where it was sent to. */
function addEnds(attributes: Attributes, { request, peer, bytesBefore }: Exchange): void {
  const { headers, hostname, protocol = headers[':scheme'] } = request;
  // By the rules of the framework. On HTTP/2 those were asked before: the connection is out of reach at the end.
  const address = bytesBefore === undefined ? peer : (request.ip ?? peer);
  if (protocol !== undefined) attributes['url.scheme'] = protocol;
  if (hostname !== undefined) attributes['server.address'] = hostname;
  if (address !== undefined) attributes['client.address'] = address;
  const agent = headers['user-agent'];
  if (agent !== undefined) attributes['user_agent.original'] = agent;
}

/** As it was sent: routers change `url` on their way. */
export function urlOf(request: FrameworkRequest): string {
  return request.originalUrl ?? request.url;
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

import type { IncomingHttpHeaders } from 'node:http';
import type { Attributes } from '../record/log-record.js';
import type { Level } from '../record/severity.js';

/** What request logging knows of a request; the request of Express and that of Fastify both are one. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** Where a request gets its id from. It becomes the attribute `request.id` of every record of the request. */
export interface RequestIdOptions {
  /**
   * Header of the request that may bring an id (1 to 128 visible ASCII characters; anything else is ignored), and of the
   * response that carries it. Default `x-request-id`.
   */
  readonly header?: string;
  /** Makes an id where the request brings none. Default: a random UUID. */
  generate?(request: HttpRequest): string;
}

/** How requests are logged. All optional; functions that throw are told of on stderr and count as not given. */
export interface HttpLogOptions {
  /**
   * Paths that make no record, such as health checks: the whole path without its query, where `*` stands for any text
   * without a slash and `**` for any text; or a RegExp. Default none.
   */
  readonly ignore?: readonly (string | RegExp)[];
  /** True for a request that is to make no record. Asked when the request begins. */
  ignoreIf?(request: HttpRequest): boolean;
  /**
   * The level of a request. Default, also where it returns undefined: `error` from 500 on and for a response that failed
   * halfway, `warn` from 400 on and for a request that was aborted, else `log`. A word that is no level counts as
   * undefined, and is told of on stderr.
   *
   * @param statusCode undefined where the request ended before there was an answer
   */
  level?(statusCode: number | undefined, request: HttpRequest): Level | undefined;
  /** Further attributes of the request's record, redacted like all others. Asked when the response is over. */
  attributes?(request: HttpRequest, statusCode: number | undefined): Attributes;
  /** `false`: no id is read, made or sent. */
  readonly requestId?: RequestIdOptions | false;
  /** Whether the record has `url.query`, with the values of secret names, and those that hold a secret, redacted. Default `false`. */
  readonly query?: boolean;
}

export interface ResolvedHttpOptions {
  readonly ignore: readonly (string | RegExp)[];
  readonly ignoreIf: HttpLogOptions['ignoreIf'];
  readonly level: HttpLogOptions['level'];
  readonly attributes: HttpLogOptions['attributes'];
  /** The header in lower case. */
  readonly requestId: { readonly header: string; readonly generate: RequestIdOptions['generate'] } | false;
  readonly query: boolean;
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, Logger, type NestMiddleware } from '@nestjs/common';
import { requestIdOf } from './request-id.js';

/** Express keeps the whole path here, whatever the router has taken off `url`. */
interface ExpressRequest extends IncomingMessage {
  readonly originalUrl: string;
}

/** Logs every request once, when its response is done or its client has gone. */
@Injectable()
export class RequestLogMiddleware implements NestMiddleware {
  readonly #logger = new Logger('HTTP');

  use(request: ExpressRequest, response: ServerResponse, next: () => void): void {
    const started = performance.now();
    const requestId = requestIdOf(request);
    response.setHeader('x-request-id', requestId);
    response.once('close', () => {
      const { method, originalUrl: path } = request;
      const { statusCode: status } = response;
      const durationMs = Math.round(performance.now() - started);
      this.#logger.log(`${method} ${path} ${status}`, { requestId, method, path, status, durationMs });
    });
    next();
  }
}

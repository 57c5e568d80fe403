import type { IncomingMessage } from 'node:http';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  HttpStatus,
  Logger,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { requestIdOf } from './request-id.js';

/** Answers for every exception. What the client did wrong is a warning; what we did wrong comes with its stack. */
@Catch()
export class HttpExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger(HttpExceptionFilter.name);
  readonly #adapterHost: HttpAdapterHost;

  constructor(adapterHost: HttpAdapterHost) {
    this.#adapterHost = adapterHost;
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const requestId = requestIdOf(http.getRequest<IncomingMessage>());
    const status =
      exception instanceof HttpException ? exception.getStatus() : HttpStatus.INTERNAL_SERVER_ERROR;
    if (status < 500) {
      this.#logger.warn('Request refused', { requestId, status, problems: problemsOf(exception) });
    } else {
      this.#logger.error('Request failed', exception, { requestId, status });
    }
    const message = status < 500 ? problemsOf(exception) : ['Something went wrong on our side.'];
    const body = { statusCode: status, requestId, message };
    this.#adapterHost.httpAdapter.reply(http.getResponse(), body, status);
  }
}

/** The validation pipe brings one message per problem, other exceptions a single one. */
function problemsOf(exception: unknown): string[] {
  if (!(exception instanceof HttpException)) return [];
  const response = exception.getResponse();
  const message =
    typeof response === 'object' && 'message' in response ? response.message : exception.message;
  return Array.isArray(message) ? message.map(String) : [String(message)];
}

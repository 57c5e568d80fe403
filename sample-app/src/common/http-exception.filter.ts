import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  HttpStatus,
  Logger,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RedisLogContext } from 'nestjs-redis-log';

/**
 * Answers for every exception. What the client did wrong stands on the request's own record, which is a warning then;
 * what we did wrong comes with its stack.
 */
@Catch()
export class HttpExceptionFilter implements ExceptionFilter {
  readonly #logger = new Logger(HttpExceptionFilter.name);
  readonly #adapterHost: HttpAdapterHost;

  constructor(adapterHost: HttpAdapterHost) {
    this.#adapterHost = adapterHost;
  }

  catch(exception: unknown, host: ArgumentsHost): void {
    const status =
      exception instanceof HttpException ? exception.getStatus() : HttpStatus.INTERNAL_SERVER_ERROR;
    const message = status < 500 ? problemsOf(exception) : ['Something went wrong on our side.'];
    if (status < 500) RedisLogContext.assign({ 'request.problems': message });
    else this.#logger.error('Request failed', exception);
    // The id under which whoever complains is found in the logs.
    const requestId = RedisLogContext.get()['request.id'];
    const response: unknown = host.switchToHttp().getResponse();
    this.#adapterHost.httpAdapter.reply(response, { statusCode: status, requestId, message }, status);
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

import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { defer, type Observable } from 'rxjs';
import { noteThrown } from '../http/request-watch.js';
import { REDIS_LOG_OUTCOMES } from '../module/redis-log.tokens.js';
import { describeMessage } from './describe-message.js';
import type { OutcomeLog } from './outcome-log.js';
import { watchObservable } from './watch-result.js';

/**
 * One record for every message of a microservice, a gateway or a GraphQL resolver, with its duration and its outcome, and
 * a `request.id` on all records below it. HTTP requests are the business of the `http` option;
 * of these it only notes errors that a filter answers without logging them.
 *
 * @example
 * app.useGlobalInterceptors(app.get(RedisLogInterceptor)); // or \@UseInterceptors(RedisLogInterceptor) on a class
 */
@Injectable()
export class RedisLogInterceptor implements NestInterceptor {
  readonly #outcomes: OutcomeLog;

  constructor(@Inject(REDIS_LOG_OUTCOMES) outcomes: OutcomeLog) {
    this.#outcomes = outcomes;
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() === 'http') return noteThrown(context.getArgByIndex(0), next.handle());
    return defer(() => {
      const watch = this.#outcomes.begin(describeMessage(context));
      return watchObservable(watch, () => next.handle());
    });
  }
}

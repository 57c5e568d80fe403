import { type CanActivate, Catch, type ExceptionFilter, type ExecutionContext } from '@nestjs/common';
import { catchError, type Observable, throwError } from 'rxjs';
import { currentScope } from '../context/scope.js';
import { exchangeOf, type FrameworkRequest } from './exchange.js';
import { matchedRoute } from './request-attributes.js';
import { factsOf } from './skip-request-log.js';

/** Lets everybody pass, and notes which handler the request is for. The first of all guards. */
export class RequestLogGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.getArgByIndex<FrameworkRequest>(0);
    const exchange = exchangeOf(request);
    if (exchange === undefined) return true;
    exchange.route = matchedRoute(request);
    const { isSkipped, isEventStream } = factsOf(context.getHandler(), context.getClass());
    if (isSkipped) exchange.isSkipped = true;
    exchange.isEventStream = isEventStream;
    return true;
  }
}

/** The type of whatever is thrown, to look at: nothing is an instance of it. */
class Thrown {
  static [Symbol.hasInstance](error: unknown): boolean {
    const scope = currentScope();
    if (scope !== undefined) scope.root.thrown = error;
    return false;
  }
}

/**
 * Notes the errors that no filter of the application's own takes, and takes none itself: Nest asks filters one after the
 * other, this one last. An interceptor would see more, and cost a request of a small application a quarter of its time.
 */
@Catch(Thrown)
export class RequestErrorFilter implements ExceptionFilter {
  catch(): void {
    // Never called.
  }
}

/** For an interceptor: notes what a handler throws, whoever takes it afterwards. */
export function noteThrown(request: unknown, handled: Observable<unknown>): Observable<unknown> {
  const exchange = exchangeOf(request);
  if (exchange === undefined) return handled;
  return handled.pipe(
    catchError((error: unknown) => {
      exchange.scope.root.thrown = error;
      return throwError(() => error);
    }),
  );
}

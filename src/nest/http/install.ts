import type { AbstractHttpAdapter, ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import type { FrameworkReply, FrameworkRequest } from './exchange.js';
import type { RequestLog } from './request-log.js';
import { RequestErrorFilter, RequestLogGuard } from './request-watch.js';

type Next = (error?: unknown) => void;
type Hook = (request: FrameworkRequest, reply: FrameworkReply, done: Next) => unknown;

interface Fastify {
  readonly server: {
    on(name: 'request', listener: (request: FrameworkRequest, response: ServerResponse) => void): unknown;
  };
  addHook(name: 'onRequest', hook: Hook): unknown;
}

/** The hook of Nest 12 that runs before all middleware. There is room for one. */
interface HookedAdapter {
  onRequestHook?: Hook | undefined;
  setOnRequestHook?(hook: Hook): void;
}

/**
 * Has `log` follow every request of an application: before the body is parsed, before middleware, guards and routing. An
 * adapter may come later than this call, as it does in tests.
 */
export function installRequestLog(log: RequestLog, host: HttpAdapterHost, config: ApplicationConfig): void {
  config.useGlobalGuards(new RequestLogGuard());
  config.useGlobalFilters(new RequestErrorFilter());
  if (!watch(host.httpAdapter, log)) host.init$.subscribe(() => watch(host.httpAdapter, log));
}

/**
 * False where there is no adapter, of which its type says nothing: there is none so far, or never will be, as in a
 * microservice and an application context.
 */
function watch(adapter: AbstractHttpAdapter | null | undefined, log: RequestLog): boolean {
  if (adapter === null || adapter === undefined) return false;
  const type = adapter.getType();
  if (type === 'fastify') watchFastify(adapter, log);
  else if (type !== '') adapter.use(hookOf(log));
  return true;
}

function hookOf(log: RequestLog): Hook {
  return (request, reply, done) => log.begin(request, reply, done);
}

/**
 * Where Nest has its own hook (12), that comes first of all. Where it has not, a middleware opens the request, and a hook
 * of Fastify adds what only Fastify's request knows.
 */
function watchFastify(adapter: AbstractHttpAdapter, log: RequestLog): void {
  const hooked = adapter as unknown as HookedAdapter;
  const hook = hookOf(log);
  if (hooked.setOnRequestHook !== undefined) {
    const other = hooked.onRequestHook;
    hooked.setOnRequestHook(other === undefined ? hook : inTurn(log, other.bind(adapter)));
  } else {
    tryToUse(adapter, hook);
  }
  // Also for whoever takes the one hook of Nest's after us.
  const fastify: Fastify = adapter.getInstance();
  fastify.addHook('onRequest', hook);
  // Called after Fastify's own listener: what has met none of the hooks by then was refused by the router.
  fastify.server.on('request', (request, response) => log.noteRefused(request, response));
}

/** A hook that was there before goes on inside the request's context, with whatever it returns. */
function inTurn(log: RequestLog, other: Hook): Hook {
  return (request, reply, done) => {
    let result: unknown;
    log.begin(request, reply, () => {
      result = other(request, reply, done);
    });
    return result;
  };
}

/** Before it is initialised, the Fastify adapter of Nest 11 takes no middleware: then the hook has to do. */
function tryToUse(adapter: AbstractHttpAdapter, hook: Hook): void {
  try {
    adapter.use(hook);
  } catch {
    // The hook follows.
  }
}

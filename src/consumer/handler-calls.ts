import { AsyncLocalStorage } from 'node:async_hooks';
import type { LogHandler } from './engine.js';

/** Knows whether code runs on behalf of a handler that has not finished. */
export class HandlerCalls {
  readonly #call = new AsyncLocalStorage<{ isOver: boolean }>();

  get isInside(): boolean {
    return this.#call.getStore()?.isOver === false;
  }

  /** The handler, with all that follows from a call of it marked until it has finished. */
  marking(handler: LogHandler): LogHandler {
    return (batch) => {
      const call = { isOver: false };
      return this.#call.run(call, async () => {
        try {
          return await handler(batch);
        } finally {
          call.isOver = true;
        }
      });
    };
  }
}

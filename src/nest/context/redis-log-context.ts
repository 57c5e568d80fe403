import type { Attributes } from '../../record/log-record.js';
import { assignTo, attributesOf, currentScope, runIn, scopeWith } from './scope.js';

/**
 * Attributes for every record that is written below a call, by whatever logger: through `await`, events and timers, in
 * requests, messages, jobs and scripts alike. Nothing here throws, wherever it is called. Attributes of a record's own
 * win over those of the context. It can be used as it is, or be injected.
 *
 * @example
 * await RedisLogContext.run({ 'tenant.id': tenant }, () => this.importOrders(tenant));
 * RedisLogContext.assign({ 'order.id': order.id }); // anywhere below
 */
export class RedisLogContext {
  /**
   * Calls `work` and returns what it returns. Records below it carry `attributes` beside those of the runs around it.
   * The attributes are copied, and read when the first record is written.
   */
  static run<T>(attributes: Attributes, work: () => T): T {
    return runIn(scopeWith(attributes), work);
  }

  /**
   * Adds to the run that this is called in, for all of its records from now on, also in runs inside it; the run around it
   * is not changed. With request logging every request is a run. Returns false, and does nothing, outside a run.
   */
  static assign(attributes: Attributes): boolean {
    const scope = currentScope();
    if (scope === undefined) return false;
    assignTo(scope, attributes);
    return true;
  }

  /** A copy of the attributes that a record written here would get from its context; empty outside a run. */
  static get(): Attributes {
    const scope = currentScope();
    return scope === undefined ? {} : { ...attributesOf(scope) };
  }

  run<T>(attributes: Attributes, work: () => T): T {
    return RedisLogContext.run(attributes, work);
  }

  assign(attributes: Attributes): boolean {
    return RedisLogContext.assign(attributes);
  }

  get(): Attributes {
    return RedisLogContext.get();
  }
}

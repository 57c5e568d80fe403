import { randomUUID } from 'node:crypto';
import type { Attributes } from '../../record/log-record.js';
import type { Followed, OutcomeLog } from './outcome-log.js';

/**
 * For work that no request and no message starts: cron jobs, queue workers, commands of a terminal program. One record of
 * each run, with duration and outcome, and a `task.id` on all records below it. `LogTask` is the same as a decorator.
 */
export class RedisLogTasks {
  readonly #outcomes: OutcomeLog;

  /** @internal `RedisLogModule` provides it. */
  constructor(outcomes: OutcomeLog) {
    this.#outcomes = outcomes;
  }

  /**
   * Calls `work`, and passes on what it returns or throws. A promise (of any library, returned as a native one), an
   * Observable or an async generator is followed to its end; anything else is done at once.
   *
   * @param name of the task, such as `nightly-report`
   * @param attributes for all records of this run
   */
  run<T>(name: string, work: () => T, attributes: Attributes = {}): T {
    return this.#outcomes.run(taskOf(name, attributes), work);
  }
}

export function taskOf(name: string, attributes: Attributes): Followed {
  return {
    context: 'Task',
    title: name,
    attributes: { 'task.name': name },
    shared: { 'task.id': randomUUID(), ...attributes },
  };
}

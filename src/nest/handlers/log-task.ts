import { Inject, Optional } from '@nestjs/common';
import { REDIS_LOG_OUTCOMES } from '../module/redis-log.tokens.js';
import type { OutcomeLog } from './outcome-log.js';
import { taskOf } from './redis-log-tasks.js';

type Method = (...args: unknown[]) => unknown;

/** Where Nest puts the log into an instance of the class; absent when somebody else made the instance. */
const OUTCOMES = Symbol('nestjs-redis-log.outcomes');

/**
 * One record for every run of a method that Nest calls without interceptors: a cron job, a queue worker, an event handler.
 * It has duration and outcome, and all records below it have a `task.id`. What the method returns or throws is passed on;
 * a promise (of any library), an Observable or an async generator is followed to its end.
 * The order among other decorators of the method does not matter.
 *
 * @param name of the task. Default `<class>.<method>`
 * @example
 * \@Cron('0 3 * * *') \@LogTask() async nightly() {}
 */
export function LogTask(name?: string): MethodDecorator {
  return (target, key, descriptor: PropertyDescriptor) => {
    const original = descriptor.value as Method;
    const task = name ?? `${target.constructor.name}.${String(key)}`;
    Optional()(target, OUTCOMES);
    Inject(REDIS_LOG_OUTCOMES)(target, OUTCOMES);
    const wrapped = function (this: { [OUTCOMES]?: OutcomeLog }, ...args: unknown[]): unknown {
      const outcomes = this[OUTCOMES];
      if (outcomes === undefined) return original.apply(this, args);
      return outcomes.run(taskOf(task, {}), () => original.apply(this, args));
    };
    Object.defineProperty(wrapped, 'name', { value: String(key) });
    // What other decorators have noted on the method, such as the time of a cron job, must stay to be found.
    for (const note of Reflect.getMetadataKeys(original)) {
      Reflect.defineMetadata(note, Reflect.getMetadata(note, original), wrapped);
    }
    descriptor.value = wrapped;
  };
}

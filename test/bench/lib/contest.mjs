// Contestants that log in turn, each in a process of its own: none pays for another's garbage, or for code that
// another's shapes made slower.
import { openChild } from './child.mjs';
import { alternate } from './figure.mjs';

const CHILD = new URL('cost-child.mjs', import.meta.url);

/**
 * Runs `rounds` rounds of `call` (a function of cost-child.mjs) for each name, after one that does not count.
 * @param contest `{ names, where, rounds, call, argument, others }`; `others` are contestants that need no process
 * of ours: functions by name, which measure one round each; `where` may be a function of the name, and a name may say
 * more than the logger: `ours maxDelayMs: 5`
 * @returns what each round measured, by name
 */
export async function contest({ names, where, rounds, call, argument, others = {} }) {
  const children = new Map();
  try {
    for (const name of names) {
      const own = typeof where === 'function' ? where(name) : where;
      children.set(name, await openChild(CHILD, { names: [loggerOf(name)], where: own }));
    }
    const round = (name) =>
      others[name]?.() ?? children.get(name).call(call, { name: loggerOf(name), ...argument });
    for (const name of names) await round(name);
    return await alternate([...names, ...Object.keys(others)], rounds, round);
  } finally {
    for (const child of children.values()) await child.close();
  }
}

const loggerOf = (name) => name.split(' ')[0];

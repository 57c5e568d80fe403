// Contestants that log in turn, each in a process of its own: none pays for another's garbage, or for code that
// another's shapes made slower.
import { openChild } from './child.mjs';
import { alternate } from './figure.mjs';

const CHILD = new URL('cost-child.mjs', import.meta.url);

/**
 * Runs `rounds` rounds of `call` (a function of cost-child.mjs) for each name, after one that does not count.
 * @param contest `{ names, where, rounds, call, argument }`; `where` may be a function of the name
 * @returns what each round measured, by name
 */
export async function contest({ names, where, rounds, call, argument }) {
  const children = new Map();
  try {
    for (const name of names) {
      const own = typeof where === 'function' ? where(name) : where;
      children.set(name, await openChild(CHILD, { names: [name], where: own }));
    }
    const round = (name) => children.get(name).call(call, { name, ...argument });
    for (const name of names) await round(name);
    return await alternate(names, rounds, round);
  } finally {
    for (const child of children.values()) await child.close();
  }
}

import fc from 'fast-check';
import { foldName } from '../../../src/record/redact-path.js';
import { LEVELS } from '../../../src/record/severity.js';
import { type Call, callWith, WAYS } from './calls.js';
import * as v from './values.js';

/** Names of three letters come by chance, and what they name is redacted. */
const isSecret = (name: string): boolean => /(?:pwd|jwt)$/.test(foldName(name));

const json = fc.jsonValue().filter((value) => !namesIn(value).some(isSecret));

const values = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('Ctx', 'OrdersService', '', 'a text of some words') },
  { weight: 3, arbitrary: fc.constantFrom(v.stack, v.multilineStack, v.emptyMessageStack, v.almostStack) },
  { weight: 3, arbitrary: fc.constantFrom(undefined, null) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.values(v).filter((value) => value instanceof Error)) },
  { weight: 4, arbitrary: fc.dictionary(fc.string({ maxLength: 8 }).filter(isOrdinaryKey), json) },
  fc.constantFrom(v.order, v.payment, v.date, v.map, v.withoutPrototype, v.foreignObject, v.withError),
  fc.constantFrom(v.lazyText, v.lazyObject, v.lazyError, v.Order),
  fc.array(json, { maxLength: 3 }),
  fc.double(),
  fc.string(),
);

/** `Object.assign`, and so Nest, loses a key `__proto__`; a member `toJSON` is for JSON, not for the reading. */
function isOrdinaryKey(key: string): boolean {
  return key !== '__proto__' && key !== 'toJSON' && !isSecret(key);
}

function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...namesIn(member)]);
}

/** Any arguments, at any level, in any way. */
export const anyCall: fc.Arbitrary<Call> = fc
  .tuple(
    fc.array(values, { minLength: 1, maxLength: 6 }),
    fc.constantFrom(...LEVELS),
    fc.constantFrom(...WAYS),
  )
  .map(([args, level, way]) => callWith(args, level, way));

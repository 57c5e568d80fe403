import { randomUUID } from 'node:crypto';
import type { ResolvedHttpOptions } from '../../options/types.js';
import type { FrameworkRequest } from './exchange.js';

/** What may come from a stranger: nothing that breaks a line, and nothing long. */
const ACCEPTED = /^[\x21-\x7e]{1,128}$/;

export type RequestIds = Exclude<ResolvedHttpOptions['requestId'], false>;

/** The id that a request brings, if it is fit to be passed on. */
export function givenId(request: FrameworkRequest, header: string): string | undefined {
  const given = request.headers[header];
  return typeof given === 'string' && ACCEPTED.test(given) ? given : undefined;
}

/** @throws whatever the user's own function throws. */
export function madeId(request: FrameworkRequest, generate: RequestIds['generate']): string {
  if (generate === undefined) return randomUUID();
  const made: unknown = generate(request);
  return typeof made === 'string' && ACCEPTED.test(made) ? made : randomUUID();
}

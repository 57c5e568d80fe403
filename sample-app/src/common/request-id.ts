import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const HEADER = 'x-request-id';

/** Ids of others end up in logs: short, and nothing but letters, digits and a few marks. */
const ACCEPTABLE = /^[\w.:-]{1,64}$/;

/** The id that the client gave its request, or a new one; the same for every call with the same request. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers[HEADER];
  if (typeof given === 'string' && ACCEPTABLE.test(given)) return given;
  const id = randomUUID();
  request.headers[HEADER] = id;
  return id;
}

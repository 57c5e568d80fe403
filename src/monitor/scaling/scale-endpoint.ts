import type { IncomingMessage, ServerResponse } from 'node:http';
import { isRedisLogError } from '../../errors.js';
import type { ScaleAdvisor } from './scale-advisor.js';

/**
 * A handler for `node:http`, Express and whatever else takes one: answers `GET ...?group=etl&stream=logs:shop` with the
 * advice for that group as JSON, for KEDA's metrics-api scaler (`valueLocation: desired`). 404 where there is no such
 * group, or no sample yet, so that KEDA falls back instead of scaling by a figure that nobody has.
 */
export function scaleEndpoint(advisor: ScaleAdvisor): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    const { status, body } = answer(advisor, req);
    const text = JSON.stringify(body);
    res.writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    res.end(req.method === 'HEAD' ? undefined : text);
  };
}

function answer(
  advisor: ScaleAdvisor,
  { method, url = '/' }: IncomingMessage,
): { status: number; body: object } {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: { error: 'Use GET.' } };
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1 || url.length));
  const group = query.get('group');
  if (group === null || group === '') {
    return { status: 400, body: { error: 'Name the group: ?group=etl' } };
  }
  try {
    return { status: 200, body: advisor.adviceFor(group, query.get('stream') ?? undefined) };
  } catch (error) {
    if (!isRedisLogError(error)) throw error;
    return { status: 404, body: { error: error.message } };
  }
}

import type { ConnectionOptions } from '../options/types.js';

/** Whether the connection is told to accept any certificate, also one of somebody in between. */
export function acceptsAnyCertificate(connection: ConnectionOptions): boolean {
  if (typeof connection === 'string') return false;
  const options: unknown = 'options' in connection ? connection.options : connection;
  const { redisOptions } = fieldsOf(options);
  return [options, redisOptions].some((each) => {
    const { tls, sentinelTLS } = fieldsOf(each);
    return [tls, sentinelTLS].some((one) => fieldsOf(one)['rejectUnauthorized'] === false);
  });
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

// What the programs of the matrix share: a stream of their own, and a look at what arrived in it.
const { Redis } = require('ioredis');
const assert = require('node:assert/strict');

const url = process.env.MATRIX_REDIS_URL;
const stream = `matrix:${process.env.MATRIX_NAME}:${process.pid}`;

/** Expects exactly these bodies, in order, and returns the decoded records. */
async function expectStored(bodies) {
  const { decodeLogRecord } = await import('nestjs-redis-log/core');
  const client = new Redis(url);
  const entries = await client.xrange(stream, '-', '+');
  await client.del(stream);
  client.disconnect();
  const records = entries.map(([, fields]) => {
    const result = decodeLogRecord(fields);
    assert.equal(result.status, 'ok');
    return result.record;
  });
  const found = records.map((record) => record.body);
  assert.deepEqual(found, bodies);
  return records;
}

/** Expects that a package is not installed, so that nothing of what follows can depend on it. */
async function expectAbsent(name) {
  await assert.rejects(import(name), { code: 'ERR_MODULE_NOT_FOUND' });
}

module.exports = { connection: url, stream, expectStored, expectAbsent };

// A Redis server of the benchmark's own, started by the same code as the demo's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { ensureRedis } from '../../../scripts/ensure-redis.mjs';

const KEEPER = fileURLToPath(new URL('../../../scripts/redis-keeper.mjs', import.meta.url));

/** Starts a server that stores nothing on disk; it ends with this process, however that ends. */
export async function startRedis() {
  const source = await ensureRedis({ preferBinary: true });
  const program = source.kind === 'binary' ? source.path : 'docker';
  const keeper = spawn(process.execPath, [KEEPER, program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: keeper.stdout });
  const [url] = await Promise.race([
    once(lines, 'line'),
    once(keeper, 'exit').then(() => {
      throw new Error('the benchmark could not start its Redis server: its messages, if any, are above');
    }),
  ]);
  const client = new Redis(url);
  const info = async (section, name) => {
    const text = await client.info(section);
    return new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  };
  return {
    url,
    port: Number(new URL(url).port),
    client,
    version: await info('server', 'redis_version'),
    usedMemory: async () => Number(await info('memory', 'used_memory')),
    async stop() {
      client.disconnect();
      keeper.stdin.end();
      await once(keeper, 'exit');
    },
  };
}

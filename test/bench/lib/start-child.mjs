// Imports what an application imports, with or without the package, and says how long the process took until then.
await import('reflect-metadata');
await import('@nestjs/common');
await import('@nestjs/core');
await import('ioredis');
const before = new Set(process.getActiveResourcesInfo());
if (process.argv[2] === 'with') await import('nestjs-redis-log');
const ms = performance.now();
const { user, system } = process.cpuUsage();
const resources = process.getActiveResourcesInfo().filter((name) => !before.has(name));
process.stdout.write(JSON.stringify({ ms, cpuMs: (user + system) / 1_000, resources }));

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

// The settings of whoever runs the tests are not the tests' business, and their Redis even less so.
for (const name of Object.keys(process.env)) {
  const isOurs = /^(REDIS_LOG_|REDIS_URL$|OTEL_|NEST_LOG_LEVEL$)/.test(name);
  if (isOurs && !name.startsWith('REDIS_LOG_TEST_')) delete process.env[name];
}

interface Project {
  readonly name: string;
  /** Of one test and of one hook, in milliseconds. */
  readonly testTimeout: number;
  /** Test files at a time. */
  readonly maxWorkers: number;
  /** Projects of one number run together, lower numbers first. */
  readonly groupOrder: number;
}

// Two at a time suits the two cores of a common build machine. What measures time or kills processes runs alone.
const projects: readonly Project[] = [
  { name: 'unit', testTimeout: 10_000, maxWorkers: 2, groupOrder: 1 },
  { name: 'contract', testTimeout: 20_000, maxWorkers: 2, groupOrder: 1 },
  { name: 'integration', testTimeout: 30_000, maxWorkers: 2, groupOrder: 1 },
  { name: 'fault', testTimeout: 90_000, maxWorkers: 1, groupOrder: 2 },
  { name: 'e2e', testTimeout: 120_000, maxWorkers: 1, groupOrder: 3 },
];

// vitest loads its configuration by the default export.
export default defineConfig({
  root: fromRoot('.'),
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: {
    alias: [
      { find: /^nestjs-redis-log$/, replacement: fromRoot('src/index.ts') },
      { find: /^nestjs-redis-log\/core$/, replacement: fromRoot('src/core.ts') },
      { find: /^nestjs-redis-log\/(\w+)$/, replacement: fromRoot('src/$1/index.ts') },
    ],
  },
  test: {
    globals: false,
    fsModuleCache: false,
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reportsDirectory: fromRoot('coverage') },
    projects: projects.map(({ name, testTimeout, maxWorkers, groupOrder }) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        testTimeout,
        hookTimeout: testTimeout,
        maxWorkers,
        sequence: { groupOrder },
      },
    })),
  },
});

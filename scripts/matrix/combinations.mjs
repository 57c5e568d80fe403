// What scripts/matrix.mjs installs and runs. A combination is a project of a user's: packages beside ours, files, commands.
// `core`: part of the quick subset that every test run includes. `shows`: the packages whose versions the table names.

const OTEL_3 = { '@opentelemetry/api': '1.10', '@opentelemetry/sdk-logs': '3' };
const OTEL_02 = {
  '@opentelemetry/api': '1.9',
  '@opentelemetry/api-logs': '0.2xx',
  '@opentelemetry/sdk-logs': '0.2xx',
};
const NEST_RUNTIME = { 'reflect-metadata': '0.2', rxjs: '7', '@opentelemetry/api': '1' };
const nest = (version) => ({ '@nestjs/common': version, '@nestjs/core': version, ...NEST_RUNTIME });

/** The last release of the line that SDK 3 replaced; npm's own range for it would be "any 0.x". */
const LINES = { '0.2xx': '>=0.220.0 <0.300.0' };

const STRICT = { strict: true, noEmit: true, skipLibCheck: false, types: ['node'], target: 'es2023' };
const DECORATORS = { experimentalDecorators: true, emitDecoratorMetadata: true };

const onNode = (node, core = false) => ({
  name: `node-${node}`,
  core,
  title: `Nest 12 as ES module on Node ${node}`,
  node,
  packages: { ...nest('12'), ioredis: '6' },
  files: ['nest.mjs', 'nest.cjs', 'core.mjs', 'one-class.cjs'],
  run: [['nest.mjs'], ['nest.cjs'], ['one-class.cjs']],
  shows: ['@nestjs/core', 'ioredis'],
});

/** The user's compiler, in the way CommonJS and ES module projects set it up. */
const typescript = (version, module, core = false) => ({
  name: `typescript-${version}-${module}`,
  core,
  title: `TypeScript ${version}, module ${module}, skipLibCheck false`,
  packages: {
    ...nest(module === 'commonjs' ? '11' : '12'),
    ...OTEL_3,
    ioredis: '6',
    typescript: version,
    '@types/node': '22',
  },
  files: ['typescript/nest.ts', 'typescript/otel.ts', 'typescript/core.ts', 'typescript/core.cts'],
  type: module === 'commonjs' ? 'commonjs' : 'module',
  json: {
    'tsconfig.json': { compilerOptions: { module, ...STRICT, ...DECORATORS }, include: ['*.ts', '*.cts'] },
  },
  run: [['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']],
  shows: ['typescript', '@nestjs/core', '@opentelemetry/sdk-logs'],
});

const jest = {
  name: 'jest-nest-11',
  core: true,
  title: 'A Jest 30 test of a Nest 11 app on Node 22',
  node: '22',
  packages: {
    ...nest('11'),
    '@nestjs/testing': '11',
    '@nestjs/platform-express': '11',
    ioredis: '6',
    jest: '30',
    'ts-jest': '29',
    typescript: '5.9',
    '@types/jest': '30',
    '@types/node': '22',
  },
  files: ['jest/app.ts', 'jest/app.spec.ts'],
  type: 'commonjs',
  json: {
    'tsconfig.json': {
      compilerOptions: {
        module: 'commonjs',
        target: 'es2023',
        strict: true,
        esModuleInterop: true,
        ...DECORATORS,
      },
    },
    'jest.config.json': { testEnvironment: 'node', transform: { '^.+\\.ts$': 'ts-jest' } },
  },
  run: [['node_modules/jest/bin/jest.js', '--ci']],
  shows: ['@nestjs/core', 'jest', 'ts-jest', 'typescript', 'ioredis'],
};

const requests = (version, platform, core = false) => ({
  name: `requests-nest-${version}-${platform}`,
  core,
  title: `Request logging, Nest ${version} on ${platform === 'express' ? 'Express' : 'Fastify'}`,
  packages: { ...nest(version), [`@nestjs/platform-${platform}`]: version, ioredis: '6' },
  files: ['http.mjs'],
  run: [['http.mjs']],
  shows: ['@nestjs/core', `@nestjs/platform-${platform}`],
});

export const COMBINATIONS = [
  {
    name: 'nest-12',
    title: 'Nest 12, `require` and `import`, no OpenTelemetry SDK',
    packages: { ...nest('12'), ioredis: '6' },
    files: ['nest.mjs', 'nest.cjs', 'without-sdk.mjs', 'one-class.cjs'],
    run: [['without-sdk.mjs'], ['nest.cjs'], ['one-class.cjs']],
    shows: ['@nestjs/core', '@opentelemetry/api', 'ioredis'],
  },
  {
    name: 'nest-11',
    title: 'Nest 11, `require` and `import`, API 1.9',
    packages: { ...nest('11'), '@opentelemetry/api': '1.9', ioredis: '6' },
    files: ['nest.mjs', 'nest.cjs', 'one-class.cjs'],
    run: [['nest.cjs'], ['nest.mjs'], ['one-class.cjs']],
    shows: ['@nestjs/core', '@opentelemetry/api', 'ioredis'],
  },
  requests('11', 'express'),
  requests('11', 'fastify', true),
  requests('12', 'express'),
  requests('12', 'fastify'),
  jest,
  {
    name: 'otel-3',
    title: 'OpenTelemetry SDK 3 and ioredis, no Nest; libraries through the global Logs API',
    packages: { ...OTEL_3, ioredis: '6' },
    files: ['otel-sdk.mjs', 'global-logs.mjs'],
    run: [['otel-sdk.mjs'], ['global-logs.mjs']],
    shows: ['@opentelemetry/sdk-logs', '@opentelemetry/api', 'ioredis'],
  },
  {
    name: 'otel-0.2xx',
    core: true,
    title: 'OpenTelemetry SDK 0.2xx with api-logs, no Nest; libraries through the global Logs API',
    packages: { ...OTEL_02, ioredis: '6' },
    files: ['otel-sdk.mjs', 'global-logs.mjs'],
    run: [['otel-sdk.mjs'], ['global-logs.mjs']],
    shows: ['@opentelemetry/sdk-logs', '@opentelemetry/api-logs', '@opentelemetry/api'],
  },
  {
    name: 'otel-3-api-logs',
    title: 'OpenTelemetry API 1.10 beside api-logs 0.2xx, which SDK 3 does not serve',
    packages: { ...OTEL_3, '@opentelemetry/api-logs': '0.2xx', ioredis: '6' },
    files: ['global-logs.mjs'],
    run: [['global-logs.mjs']],
    shows: ['@opentelemetry/api', '@opentelemetry/api-logs'],
  },
  {
    name: 'core-ioredis-6',
    title: 'ioredis 6 and nothing else',
    packages: { ioredis: '6' },
    files: ['core.mjs'],
    run: [['core.mjs']],
    shows: ['ioredis'],
  },
  {
    name: 'core-ioredis-5',
    core: true,
    title: 'ioredis 5 and nothing else',
    packages: { ioredis: '5' },
    files: ['core.mjs'],
    run: [['core.mjs']],
    shows: ['ioredis'],
  },
  {
    name: 'core-ioredis-5.8',
    title: 'The oldest ioredis supported',
    packages: { ioredis: '5.8.0' },
    files: ['core.mjs'],
    run: [['core.mjs']],
    shows: ['ioredis'],
  },
  onNode('22.15.0'),
  onNode('22'),
  onNode('24'),
  onNode('26'),
  {
    ...typescript('6', 'nodenext'),
    name: 'typescript-otel-0.2xx',
    title: 'TypeScript 6 and OpenTelemetry SDK 0.2xx, without Nest, skipLibCheck false',
    packages: { ...OTEL_02, ioredis: '6', typescript: '6', '@types/node': '22' },
    files: ['typescript/otel.ts', 'typescript/core.ts', 'typescript/core.cts'],
    shows: ['typescript', '@opentelemetry/sdk-logs', '@opentelemetry/api'],
  },
  typescript('5.9', 'commonjs', true),
  typescript('5.9', 'nodenext'),
  typescript('6', 'commonjs'),
  typescript('6', 'nodenext'),
  typescript('7', 'commonjs'),
  typescript('7', 'nodenext'),
].map((combination) => ({
  ...combination,
  packages: Object.fromEntries(
    Object.entries(combination.packages).map(([name, range]) => [name, LINES[range] ?? range]),
  ),
}));

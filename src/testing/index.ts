export { CollectedLogs } from './collected-logs.js';
export type { CollectedError, CollectedRecord } from './collected-record.js';
export { provideRedisLogTesting } from './provide-testing.js';
export { silenceLogs } from './silence-logs.js';
export { createTestingLogger, type TestingLogger, type TestingLoggerOptions } from './testing-logger.js';

import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../../vitest.config.js';

const { resolve, oxc } = base;

// The tests of a user, some of which fail: run by silence.test.ts.
export default mergeConfig(
  { resolve, oxc },
  defineConfig({
    root: import.meta.dirname,
    test: { include: ['of-a-user.ts'], setupFiles: ['setup.ts'], maxWorkers: 1 },
  }),
);

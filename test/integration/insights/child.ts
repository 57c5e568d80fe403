import { InsightsCounter, type InsightsCounterOptions } from '../../../src/reader/index.js';

// A process that counts until it is killed.
const options = JSON.parse(process.argv[2] ?? '') as InsightsCounterOptions;
await new InsightsCounter(options).run();

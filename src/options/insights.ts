import type { InsightsOptions, ResolvedInsights } from './insights-types.js';

const DEFAULTS: ResolvedInsights = {
  bucketMs: 300_000,
  keptBuckets: 288,
  maxTemplates: 500,
  countBy: 'template',
};

/** Redis in Action, section 5.1: hourly, with the hour before, and the text as it is. */
const REDIS_IN_ACTION = { bucketMs: 3_600_000, keptBuckets: 2, countBy: 'text' } as const;

type Given = { readonly [K in keyof InsightsOptions]?: InsightsOptions[K] | undefined };

/** Complete from options that are valid. */
export function completeInsights(given: Given): ResolvedInsights {
  const base = { ...DEFAULTS, ...(given.compatibility === 'redis-in-action' ? REDIS_IN_ACTION : {}) };
  return {
    bucketMs: given.bucketMs ?? base.bucketMs,
    keptBuckets: given.keptBuckets ?? base.keptBuckets,
    maxTemplates: given.maxTemplates ?? base.maxTemplates,
    countBy: given.countBy ?? base.countBy,
  };
}

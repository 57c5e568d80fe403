import type { Problems } from './problems.js';
import type { InsightsOptions, ResolvedInsights } from './insights-types.js';

const DEFAULTS: ResolvedInsights = {
  bucketMs: 300_000,
  keptBuckets: 288,
  maxTemplates: 500,
  countBy: 'template',
};

/** Redis in Action, section 5.1: hourly, with the hour before, and each text as it is. The book has no bound. */
const REDIS_IN_ACTION = {
  bucketMs: 3_600_000,
  keptBuckets: 2,
  maxTemplates: 100_000,
  countBy: 'text',
} as const;

type Given = { readonly [K in keyof InsightsOptions]?: InsightsOptions[K] | undefined };

/** What cannot hold together; `prefix` stands before the names of the options. */
export function addContradictions(given: Given, problems: Problems, prefix = ''): void {
  if (given.compatibility !== 'redis-in-action') return;
  for (const key of ['bucketMs', 'countBy'] as const) {
    const fixed = REDIS_IN_ACTION[key];
    if (given[key] === undefined || given[key] === fixed) continue;
    problems.add(
      `${prefix}${key}`,
      `with compatibility "redis-in-action" it is ${fixed}. Leave out one of the two`,
    );
  }
}

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

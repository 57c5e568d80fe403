import { levelSpan } from '../query-language/levels.js';
import { type InsightsLevel, levelOf } from './section.js';

/** The class of severity that a name or number means; undefined where it means none. */
export function levelNamed(level: string | number): InsightsLevel | undefined {
  const span = levelSpan(String(level));
  return span === undefined ? undefined : levelOf(span[0]);
}

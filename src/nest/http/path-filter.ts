/** True for the paths that one of the patterns matches; see `HttpLogOptions.ignore`. */
export type PathFilter = (path: string) => boolean;

/** Undefined where there is nothing to match. */
export function pathFilter(patterns: readonly (string | RegExp)[]): PathFilter | undefined {
  if (patterns.length === 0) return undefined;
  const exact = new Set<string>();
  const expressions: RegExp[] = [];
  for (const pattern of patterns) {
    if (typeof pattern !== 'string') expressions.push(stateless(pattern));
    else if (pattern.includes('*')) expressions.push(globOf(pattern));
    else exact.add(pattern);
  }
  return (path) => exact.has(path) || expressions.some((expression) => expression.test(path));
}

/** With the flags g and y an expression remembers where it stopped, and would match every other time. */
function stateless(expression: RegExp): RegExp {
  return new RegExp(expression.source, expression.flags.replace(/[gy]/g, ''));
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .split(/(\*+)/)
    .map((part) => {
      if (part === '') return '';
      if (!part.startsWith('*')) return part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&');
      return part === '*' ? '[^/]*' : '.*';
    })
    .join('');
  return new RegExp(`^${source}$`);
}

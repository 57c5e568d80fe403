// Medians and quantiles of measured values. A median, because one round may meet a garbage collection, or another
// program on the same machine, and must not decide a figure.

/** The value below which the share `q` (0 to 1) of the values lies, by nearest rank. */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)];
}

export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

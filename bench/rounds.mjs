// Alternating rounds and the statistics over them.

/**
 * Runs every measurement once a round, forwards and backwards in turn, and returns the rounds' figures by name. The memory
 * bandwidth of a shared host drifts by the minute: figures of one round may be compared with each other, others not.
 */
export async function alternate(count, measurements) {
  const names = Object.keys(measurements);
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -1; round < count; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await measurements[name]();
      // The first round warms caches and is not counted.
      if (round >= 0) {
        figures[name].push(figure);
      }
    }
  }
  return figures;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Standard error of the median of the values, from their interquartile range, as of a normal distribution. */
export function spread(values) {
  const standardDeviation = (percentile(values, 0.75) - percentile(values, 0.25)) / 1.35;
  return (1.25 * standardDeviation) / Math.sqrt(values.length);
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Parameter counts as Ollama prints them: `134.52M`, `1.2B`, `8B`, `1K`, `999`. */
export function humanNumber(count: number): string {
  const scaled = (unit: number, numDigits: number, suffix: string): string => {
    const value = count / unit;
    return `${Number.isInteger(value) ? value : value.toFixed(numDigits)}${suffix}`;
  };
  if (count >= 1e9) {
    return scaled(1e9, 1, 'B');
  }
  if (count >= 1e6) {
    return scaled(1e6, 2, 'M');
  }
  return count >= 1e3 ? `${Math.round(count / 1e3)}K` : String(count);
}

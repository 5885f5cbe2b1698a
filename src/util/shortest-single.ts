/** The shortest decimal that is the same single-precision value: 0.00001, where the exact double is 0.000009999999747378752. */
export function shortestSingle(value: number): number {
  // Nine digits always suffice for single precision, and the value itself has them.
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) {
      return candidate;
    }
  }
  return value;
}

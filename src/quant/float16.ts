/** 16-bit floats: IEEE half precision and bfloat16, to single precision (always exact). */

/** Every half-precision value by its bits: a look-up is several times faster than bit arithmetic in the row loops. */
const halfValues: Float32Array = Float32Array.from({ length: 65536 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) {
    return sign * fraction * 2 ** -24;
  }
  if (exponent === 31) {
    return fraction === 0 ? sign * Infinity : NaN;
  }
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
});

/** Value of an IEEE half given its 16 bits. */
export function halfToFloat(bits: number): number {
  return halfValues[bits & 0xffff] ?? NaN;
}

/** Halves (little-endian, any alignment) to floats; `raw` holds 2 bytes per value. */
export function halvesToFloats(raw: Uint8Array): Float32Array {
  const floats = new Float32Array(raw.length >> 1);
  for (let i = 0; i < floats.length; i++) {
    floats[i] = halfValues[(raw[2 * i] ?? 0) | ((raw[2 * i + 1] ?? 0) << 8)] ?? NaN;
  }
  return floats;
}

/** bfloat16 values (little-endian, any alignment) to floats: they are the upper halves of the floats' bits. */
export function bfloatsToFloats(raw: Uint8Array): Float32Array {
  const bits = new Uint32Array(raw.length >> 1);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = ((raw[2 * i] ?? 0) << 16) | ((raw[2 * i + 1] ?? 0) << 24);
  }
  return new Float32Array(bits.buffer);
}

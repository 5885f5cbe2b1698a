/**
 * xoshiro128**: a small generator with a period of 2^128 - 1 that passes the usual test batteries. One per sequence, so that
 * a seed gives the same tokens whatever else runs beside it.
 */
export class RandomGenerator {
  readonly #state = new Uint32Array(4);

  /** Any finite number; its 53 integer bits all count. */
  constructor(seed: number) {
    // splitmix32 spreads neighbouring seeds over the whole state; it never gives four zeros.
    const integer = Math.trunc(seed);
    let mix = (integer >>> 0) ^ Math.imul(Math.floor(integer / 2 ** 32) >>> 0, 0x9e3779b1);
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e3779b9) | 0;
      let word = Math.imul(mix ^ (mix >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      this.#state[i] = word ^ (word >>> 15);
    }
  }

  /** Uniform in [0, 1) with 53 bits. */
  next(): number {
    return ((this.#next32() >>> 5) * 2 ** 26 + (this.#next32() >>> 6)) / 2 ** 53;
  }

  #next32(): number {
    const state = this.#state;
    const [a, b, c, d] = state as unknown as [number, number, number, number];
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
    state[2] = c ^ a;
    state[3] = d ^ b;
    state[1] = b ^ (c ^ a);
    state[0] = a ^ (d ^ b);
    state[2] = c ^ a ^ (b << 9);
    state[3] = rotateLeft(d ^ b, 11);
    return result >>> 0;
  }
}

/** A seed for requests that name none. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

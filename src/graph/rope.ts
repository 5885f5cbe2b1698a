// Cosine and sine tables of rotary position embedding, with the scaling variants of the model families.
import type { RopeParameters } from '../formats/index.js';

export interface RopeTables {
  /** [positions, rotarySize / 2], row-major. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** Tables for positions 0 … numPositions - 1. A scaling's attention factor is multiplied into both. */
export function ropeTables(rope: RopeParameters, numPositions: number): RopeTables {
  const { frequencies, attentionFactor } = scaledFrequencies(rope);
  const width = frequencies.length;
  const cos = new Float32Array(numPositions * width);
  const sin = new Float32Array(numPositions * width);
  for (let position = 0; position < numPositions; position++) {
    for (let index = 0; index < width; index++) {
      // Rounded to float32 like the reference implementation, whose angle is a float32 product.
      const angle = Math.fround(position * (frequencies[index] ?? 0));
      cos[position * width + index] = Math.cos(angle) * attentionFactor;
      sin[position * width + index] = Math.sin(angle) * attentionFactor;
    }
  }
  return { cos, sin };
}

interface Frequencies {
  /** Radians per position, [rotarySize / 2]. */
  readonly frequencies: Float32Array;
  readonly attentionFactor: number;
}

function scaledFrequencies(rope: RopeParameters): Frequencies {
  const base = Float32Array.from(
    { length: rope.rotarySize / 2 },
    (_, index) => 1 / Math.pow(rope.theta, (2 * index) / rope.rotarySize),
  );
  const { scaling } = rope;
  switch (scaling.type) {
    case 'none':
      return { frequencies: base, attentionFactor: 1 };
    case 'linear':
      return { frequencies: base.map((frequency) => frequency / scaling.factor), attentionFactor: 1 };
    case 'factors':
      return {
        frequencies: base.map((frequency, index) => frequency / (scaling.factors[index] ?? 1)),
        attentionFactor: scaling.attentionFactor,
      };
    case 'llama3':
      return { frequencies: base.map((frequency) => llama3Frequency(frequency, scaling)), attentionFactor: 1 };
    case 'yarn':
      return {
        frequencies: yarnFrequencies(base, rope, scaling),
        attentionFactor: scaling.attentionFactor ?? (scaling.factor <= 1 ? 1 : 0.1 * Math.log(scaling.factor) + 1),
      };
    default:
      return scaling satisfies never;
  }
}

type Llama3 = Extract<RopeParameters['scaling'], { type: 'llama3' }>;
type Yarn = Extract<RopeParameters['scaling'], { type: 'yarn' }>;

/** Llama 3.1: long wavelengths are stretched, short ones kept, those between interpolated. */
function llama3Frequency(frequency: number, scaling: Llama3): number {
  const rotations = (scaling.originalContextLength * frequency) / (2 * Math.PI);
  if (rotations < scaling.lowFreqFactor) {
    return frequency / scaling.factor;
  }
  if (rotations > scaling.highFreqFactor) {
    return frequency;
  }
  const smooth = (rotations - scaling.lowFreqFactor) / (scaling.highFreqFactor - scaling.lowFreqFactor);
  return (1 - smooth) * (frequency / scaling.factor) + smooth * frequency;
}

/** YaRN (arXiv 2309.00071): interpolates dimensions that turn less than `betaSlow` times, keeps those above `betaFast`. */
function yarnFrequencies(base: Float32Array, rope: RopeParameters, scaling: Yarn): Float32Array {
  const dimensionOf = (rotations: number): number =>
    (rope.rotarySize * Math.log(scaling.originalContextLength / (rotations * 2 * Math.PI))) / (2 * Math.log(rope.theta));
  const low = Math.max(Math.floor(dimensionOf(scaling.betaFast)), 0);
  const high = Math.min(Math.ceil(dimensionOf(scaling.betaSlow)), rope.rotarySize - 1);
  return base.map((frequency, index) => {
    const ramp = Math.min(1, Math.max(0, (index - low) / Math.max(high - low, 0.001)));
    return (frequency / scaling.factor) * ramp + frequency * (1 - ramp);
  });
}

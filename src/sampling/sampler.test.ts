import { describe, expect, it } from 'vitest';
import { TarsError } from '../errors/index.js';
import { defaultSamplingOptions, RandomGenerator, Sampler, type SamplingOptions } from './index.js';

const neutral: SamplingOptions = { ...defaultSamplingOptions, temperature: 1, topK: 0, topP: 1, seed: 1 };

function createSampler(options: Partial<SamplingOptions>, vocabSize: number): Sampler {
  return new Sampler({ ...neutral, ...options }, vocabSize);
}

/** A row of scores with a peaked head, as a model's. */
function randomRow(seed: number, vocabSize: number, spread = 4): Float32Array {
  const random = new RandomGenerator(seed);
  return Float32Array.from(
    { length: vocabSize },
    () => spread * Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(6.283 * random.next()),
  );
}

interface Weighted {
  id: number;
  logit: number;
  probability: number;
}

function normalise(list: { id: number; logit: number }[], temperature: number): Weighted[] {
  const best = Math.max(...list.map((entry) => entry.logit));
  const weights = list.map((entry) => Math.exp((entry.logit - best) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return list.map(({ id, logit }, i) => ({ id, logit, probability: (weights[i] ?? 0) / total }));
}

function cutWhere(list: Weighted[], isEnough: (sum: number) => boolean): Weighted[] {
  let sum = 0;
  const last = list.findIndex((entry) => isEnough((sum += entry.probability)));
  return last === -1 ? list : list.slice(0, last + 1);
}

/** The whole chain as its definition reads, on sorted arrays. */
function referenceDistribution(row: Float32Array, options: SamplingOptions): Map<number, number> {
  let list = normalise(
    Array.from(row, (logit, id) => ({ id, logit })),
    1,
  ).sort((a, b) => b.logit - a.logit || a.id - b.id);
  if (options.topK > 0) {
    list = list.slice(0, options.topK);
  }
  if (options.typicalP < 1) {
    list = normalise(list, 1);
    const entropy = list.reduce((sum, { probability: p }) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
    const distance = (entry: Weighted): number => Math.abs(-Math.log(entry.probability) - entropy);
    list = cutWhere(
      [...list].sort((a, b) => distance(a) - distance(b)),
      (sum) => sum > options.typicalP,
    );
    list.sort((a, b) => b.logit - a.logit || a.id - b.id);
  }
  if (options.topP < 1) {
    list = cutWhere(normalise(list, 1), (sum) => sum >= options.topP);
  }
  if (options.minP > 0) {
    const best = Math.max(...list.map((entry) => entry.logit));
    list = list.filter((entry) => entry.logit >= best + Math.log(options.minP));
  }
  return new Map(normalise(list, options.temperature).map(({ id, probability }) => [id, probability]));
}

const cases: Partial<SamplingOptions>[] = [
  {},
  { topK: 40, topP: 0.9, temperature: 0.8 },
  { topK: 1 },
  { topK: 5, temperature: 2 },
  { topP: 0.5 },
  { topP: 0.97, temperature: 1.5 },
  { topP: 0.999999 },
  { minP: 0.2 },
  { topK: 20, minP: 0.1, topP: 0.8 },
  { typicalP: 0.5 },
  { topK: 30, typicalP: 0.7, topP: 0.9, minP: 0.05, temperature: 0.5 },
];

describe('Sampler', () => {
  it.each(cases)('draws from the distribution that %j defines', (options) => {
    for (const [seed, spread] of [
      [11, 1],
      [12, 4],
    ] as const) {
      const row = randomRow(seed, 300, spread);
      const expected = referenceDistribution(row, { ...neutral, ...options });
      const sampler = createSampler(options, row.length);
      const numDraws = 6000;
      const counts = new Map<number, number>();
      for (let i = 0; i < numDraws; i++) {
        const id = sampler.sample(row);
        counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      expect([...counts.keys()].filter((id) => !expected.has(id))).toEqual([]);
      for (const [id, probability] of expected) {
        const deviation = Math.sqrt((probability * (1 - probability)) / numDraws);
        // Five standard deviations plus one draw: a right sampler fails one row in a million, and seeds are fixed.
        expect(Math.abs((counts.get(id) ?? 0) / numDraws - probability)).toBeLessThan(5 * deviation + 1 / numDraws);
      }
    }
  });

  it('draws only allowed tokens from a whole vocabulary', () => {
    const row = randomRow(5, 50_000, 2);
    for (const options of [{ topP: 0.3 }, { topP: 0.9, minP: 0.01 }, { topK: 500, topP: 0.5 }, { typicalP: 0.3 }]) {
      const expected = referenceDistribution(row, { ...neutral, ...options });
      const sampler = createSampler(options, row.length);
      const drawn = new Set(Array.from({ length: 50 }, () => sampler.sample(row)));
      expect([...drawn].filter((id) => !expected.has(id))).toEqual([]);
      expect(drawn.size).toBeGreaterThan(5);
    }
  });

  it('gives the same tokens for the same seed, others for another', () => {
    const draw = (seed: number): number[] => {
      const sampler = createSampler({ seed }, 300);
      return Array.from({ length: 50 }, (_, i) => sampler.sample(randomRow(i, 300)));
    };
    expect(draw(42)).toEqual(draw(42));
    expect(draw(42)).not.toEqual(draw(43));
    expect(draw(2 ** 40 + 42)).not.toEqual(draw(42));
    expect(draw(-1)).not.toEqual(draw(-1));
  });

  it('takes the best token at temperature 0, the lowest id of equals', () => {
    const sampler = createSampler({ temperature: 0, topK: 40 }, 5);
    expect(sampler.sample(Float32Array.of(1, 3, 2, 3, -1))).toBe(1);
    expect(sampler.sample(Float32Array.of(NaN, -5, NaN, -4, -Infinity))).toBe(3);
    expect(createSampler({ topK: 1 }, 5).sample(Float32Array.of(1, 3, 2, 3, -1))).toBe(1);
  });

  it('never draws a masked token', () => {
    for (const options of cases) {
      const sampler = createSampler(options, 6);
      const row = Float32Array.of(-Infinity, 0, NaN, 0.5, -Infinity, 0.2);
      const drawn = new Set(Array.from({ length: 200 }, () => sampler.sample(row)));
      expect([...drawn].filter((id) => ![1, 3, 5].includes(id))).toEqual([]);
    }
  });

  it('survives infinite and equal scores', () => {
    for (const options of cases) {
      expect(createSampler(options, 3).sample(Float32Array.of(0, Infinity, 0))).toBe(1);
      expect([0, 1, 2]).toContain(createSampler(options, 3).sample(Float32Array.of(7, 7, 7)));
    }
  });

  it.each([{ temperature: 0 }, { topK: 40 }, { topK: 0 }])('refuses rows without a usable score with %j', (options) => {
    for (const value of [NaN, -Infinity]) {
      const sample = (): number => createSampler(options, 4).sample(new Float32Array(4).fill(value));
      expect(sample).toThrow(TarsError);
      expect(sample).toThrow('no usable logits');
    }
    expect(() => createSampler(options, 4).sample(new Float32Array(3))).toThrow('3 scores for 4 tokens');
  });
});

describe('penalties', () => {
  const greedy = { temperature: 0, repeatLastN: 64 };

  it('divide positive scores, multiply negative ones, and subtract', () => {
    const sampler = createSampler({ ...greedy, repeatPenalty: 2, frequencyPenalty: 0.25, presencePenalty: 0.5 }, 4);
    for (const id of [0, 0, 1]) {
      sampler.accept(id);
    }
    // Token 0 becomes 4 / 2 - 2 * 0.25 - 0.5 = 1, token 1 becomes -1 * 2 - 0.25 - 0.5 = -2.75.
    expect(sampler.sample(Float32Array.of(4, -1, 0.9, -10))).toBe(0);
    expect(sampler.sample(Float32Array.of(4, -1, 1.1, -10))).toBe(2);
    expect(sampler.sample(Float32Array.of(-50, -1, -2.7, -50))).toBe(2);
    expect(sampler.sample(Float32Array.of(-50, -1, -2.8, -50))).toBe(1);
  });

  it('leave the row as it was', () => {
    const row = randomRow(3, 100);
    const sampler = createSampler({ repeatPenalty: 1.3, presencePenalty: 1, topK: 10 }, 100);
    for (let id = 0; id < 100; id++) {
      sampler.accept(id);
    }
    const before = row.slice();
    sampler.sample(row);
    expect(row).toEqual(before);
  });

  it.each([
    [2, 0],
    [3, 1],
    [0, 0],
    [-1, 1],
  ])('look at the last %i tokens', (repeatLastN, expected) => {
    const sampler = createSampler({ ...greedy, presencePenalty: 1, repeatLastN }, 10);
    for (const id of [0, 5, 6]) {
      sampler.accept(id);
    }
    expect(sampler.sample(Float32Array.of(1, 0.5, 0, 0, 0, 0, 0, 0, 0, 0))).toBe(expected);
  });

  it('count like a window over all tokens', () => {
    const random = new RandomGenerator(9);
    const sampler = createSampler({ ...greedy, frequencyPenalty: 0.1, repeatLastN: 7 }, 5);
    const history: number[] = [];
    for (let step = 0; step < 300; step++) {
      const row = randomRow(step, 5, 0.2);
      const window = history.slice(-7);
      const penalised = Array.from(row, (logit, id) => Math.fround(logit - 0.1 * window.filter((seen) => seen === id).length));
      expect(sampler.sample(row)).toBe(penalised.indexOf(Math.max(...penalised)));
      history.push(Math.floor(random.next() * 5));
      sampler.accept(history.at(-1) ?? 0);
    }
  });
});

describe('logprobs', () => {
  it('are those of the raw scores', () => {
    const row = Float32Array.of(1, 3, 2, -Infinity, NaN);
    const total = Math.log(Math.exp(1) + Math.exp(3) + Math.exp(2));
    const { logprob, top } = createSampler({ topK: 1, temperature: 0.1 }, 5).logprobs(row, 2, 2);
    expect(logprob).toBeCloseTo(2 - total, 6);
    expect(top.map((entry) => entry.id)).toEqual([1, 2]);
    expect(top[0]?.logprob).toBeCloseTo(3 - total, 6);
    expect(createSampler({}, 5).logprobs(row, 3, 0)).toEqual({ logprob: -3.4028234663852886e38, top: [] });
  });

  it('of the whole vocabulary add up to one', () => {
    const row = randomRow(8, 1000);
    const { top } = createSampler({}, 1000).logprobs(row, 0, 1000);
    expect(top.reduce((sum, entry) => sum + Math.exp(entry.logprob), 0)).toBeCloseTo(1, 9);
    expect(top.map((entry) => entry.logprob)).toEqual(top.map((entry) => entry.logprob).sort((a, b) => b - a));
  });
});

describe('RandomGenerator', () => {
  it('is uniform', () => {
    const random = new RandomGenerator(1);
    const counts = new Array<number>(64).fill(0);
    for (let i = 0; i < 64_000; i++) {
      const bucket = Math.floor(random.next() * 64);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 63 degrees of freedom: 99.99 % of uniform generators stay under 115.
    expect(chiSquare).toBeLessThan(115);
  });
});

// The lines that are measured against llama.cpp. Each function measures one group in alternating rounds and returns rows
// { figure, unit, ours, theirs, ratios, bar }: the rounds' figures; `theirs` and `ratios` are missing where ours stands alone.
import { BareSteps } from './bare-steps.mjs';
import { engineMsPerToken, prefillSeconds } from './engine-runs.mjs';
import { PeerRun, readBandwidth } from './peer-tools.mjs';
import { alternate, median } from './rounds.mjs';

const decode = { promptTokens: 16, decodeTokens: 12 };
const context = { past: 4096, numSteps: 8 };
const verify = { past: 256, numSteps: 6 };

// Running 2,048 or 4,096 tokens again only to try flash attention would take a minute.
const maxProbeTokens = 1024;

/** Decode of `counts` sequences together, and the share of the memory bandwidth that one sequence reaches. */
export async function measureDecode(bench, counts) {
  const most = Math.max(...counts);
  // The most sequences first, not counted, so that all of llama.cpp's buffers have been written.
  const shape = (numSequences) => ({
    promptTokens: [decode.promptTokens],
    decodeTokens: decode.decodeTokens,
    numSequences: [most, ...numSequences],
    numWarmUp: 1,
  });
  const flash = await fasterFlash(bench, 'decode', { ...shape([1, most]), figure: 'decode', numFigures: 2 });
  const peer = new PeerRun(bench, { ...shape(repeat(counts, bench.rounds)), flash });
  try {
    await peer.ready();
    const bandwidth = [];
    const ours = (index) => engineMsPerToken(bench.loaded, counts[index], decode).then((ms) => 1000 / ms);
    const theirs = async (index) => {
      if (counts[index] === 1) {
        bandwidth.push(await readBandwidth(bench));
      }
      return (await peer.next()).decode;
    };
    for (const index of counts.keys()) {
      await ours(index);
    }
    const pairs = await pairedRounds(bench.rounds, counts.length, ours, theirs);
    const rows = counts.map((count, index) => speedRow(`decode, ${sequences(count)}`, pairs[index], bench.bars.decode[count]));
    const single = pairs[counts.indexOf(1)];
    return bench.bars.bandwidth === undefined ? rows : [...rows, bandwidthRow(bench, single, bandwidth)];
  } finally {
    peer[Symbol.dispose]();
  }
}

function bandwidthRow({ weightsBytes, fileBytes, bars }, { ours, theirs }, bandwidth) {
  return {
    figure: 'decode, 1 sequence',
    unit: `share of ${(median(bandwidth) / 1e9).toFixed(1)} GB/s read bandwidth`,
    ours: ours.map((speed, round) => (speed * weightsBytes) / bandwidth[round]),
    theirs: theirs.map((speed, round) => (speed * fileBytes) / bandwidth[round]),
    bar: bars.bandwidth,
  };
}

/** A prompt of `count` tokens, up to its first token. */
export async function measurePrefill(bench, count) {
  // The first prompt, which is not counted, is as long as llama.cpp's largest step: the system gives out the pages of its
  // buffers only as they are first written.
  const warmUpTokens = 512;
  const spacer = 16;
  const shape = (tokens, rounds) => ({
    promptTokens: [warmUpTokens, ...repeat([spacer, tokens], rounds)],
    numSequences: [1],
    decodeTokens: 1,
    numWarmUp: 1,
    isWanted: (result) => result.pp !== spacer,
  });
  const probe = { ...shape(Math.min(count, maxProbeTokens), 1), figure: 'prefill', numFigures: 1 };
  const flash = await fasterFlash(bench, `prefill of ${count} tokens`, probe);
  const peer = new PeerRun(bench, { ...shape(count, bench.rounds), flash });
  try {
    await peer.ready();
    const ours = async () => count / (await prefillSeconds(bench.loaded, count));
    const theirs = async () => (await peer.next()).prefill;
    await prefillSeconds(bench.loaded, warmUpTokens);
    const [pair] = await pairedRounds(bench.rounds, 1, ours, theirs);
    return [speedRow(`prefill, ${count} tokens`, pair, bench.bars.prefill[count])];
  } finally {
    peer[Symbol.dispose]();
  }
}

/** Decode behind 4,096 tokens of context that each of `counts` sequences has for itself. */
export async function measureContext(bench, counts) {
  const shape = (promptTokens, rounds) => ({
    promptTokens: [promptTokens],
    decodeTokens: context.numSteps,
    numSequences: repeat(counts, rounds),
    sharesPrompt: true,
  });
  const probe = { ...shape(maxProbeTokens, 1), figure: 'decode', numFigures: counts.length };
  const flash = await fasterFlash(bench, 'decode with a context', probe);
  const contextTokens = context.past + 2 * context.numSteps;
  const steps = await BareSteps.open(bench.settings, { numSequences: Math.max(...counts), contextTokens });
  const peer = new PeerRun(bench, { ...shape(context.past, bench.rounds), flash });
  try {
    const ours = async (index) => {
      const numSequences = counts[index];
      return (1000 * numSequences) / (await steps.msPerStep({ ...context, numSequences, samples: true }));
    };
    const theirs = async () => (await peer.next()).decode;
    // llama.cpp runs its prompt for a minute before it decodes, so ours always comes behind theirs.
    const pairs = await pairedRounds(bench.rounds, counts.length, ours, theirs, { alternates: false });
    return counts.map((count, index) =>
      speedRow(`decode at ${context.past} tokens of context, ${sequences(count)}`, pairs[index], bench.bars.context[count]),
    );
  } finally {
    peer[Symbol.dispose]();
    steps[Symbol.dispose]();
  }
}

/** A step of `numTokens` tokens of one sequence, with logits for all of them, in steps of one token. */
export async function measureVerify(bench, numTokens) {
  const contextTokens = verify.past + numTokens * verify.numSteps;
  const steps = await BareSteps.open(bench.settings, { numSequences: 1, contextTokens });
  try {
    const rounds = await alternate(bench.rounds, {
      one: () => steps.msPerStep({ ...verify, numTokens: 1 }),
      several: () => steps.msPerStep({ ...verify, numTokens }),
    });
    const ours = rounds.several.map((ms, round) => ms / rounds.one[round]);
    return [{ figure: `verify of ${numTokens} tokens`, unit: 'steps of one token', ours, bar: bench.bars.verify[numTokens] }];
  } finally {
    steps[Symbol.dispose]();
  }
}

/**
 * llama.cpp's flash attention is the faster way for some shapes and not for others: both are tried, the better one is
 * measured. `numFigures` results after the warm-up are compared by their product.
 */
async function fasterFlash(bench, name, { figure, numFigures, ...shape }) {
  if (bench.flash !== undefined) {
    bench.notes.push(`llama.cpp's flash attention is ${bench.flash} for ${name} (as asked for)`);
    return bench.flash;
  }
  const on = new PeerRun(bench, { ...shape, flash: 'on' });
  const off = new PeerRun(bench, { ...shape, flash: 'off' });
  try {
    await on.ready();
    await off.ready();
    let ratio = 1;
    for (let index = 0; index < numFigures; index++) {
      const speedOn = (await on.next())[figure];
      ratio *= speedOn / (await off.next())[figure];
    }
    const flash = ratio >= 1 ? 'on' : 'off';
    bench.notes.push(`llama.cpp's flash attention is ${flash} for ${name} (on / off ${(ratio ** (1 / numFigures)).toFixed(2)})`);
    return flash;
  } finally {
    on[Symbol.dispose]();
    off[Symbol.dispose]();
  }
}

/** Per index, both sides' figures of every round: one right after the other, first and second in turn. */
async function pairedRounds(rounds, numFigures, ours, theirs, { alternates = true } = {}) {
  const pairs = Array.from({ length: numFigures }, () => ({ ours: [], theirs: [] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, pair] of pairs.entries()) {
      const isFirst = alternates && round % 2 === 0;
      if (isFirst) {
        pair.ours.push(await ours(index));
      }
      pair.theirs.push(await theirs(index));
      if (!isFirst) {
        pair.ours.push(await ours(index));
      }
      // A run takes minutes: what is there already can be seen.
      process.stderr.write(`  round ${round + 1}: ${pair.ours.at(-1).toFixed(1)} and ${pair.theirs.at(-1).toFixed(1)} tok/s\n`);
    }
  }
  return pairs;
}

function speedRow(figure, { ours, theirs }, bar) {
  return { figure, unit: 'tok/s', ours, theirs, ratios: ours.map((speed, round) => speed / theirs[round]), bar };
}

const repeat = (items, times) => Array.from({ length: times }, () => items).flat();
const sequences = (count) => `${count} ${count === 1 ? 'sequence' : 'sequences'}`;

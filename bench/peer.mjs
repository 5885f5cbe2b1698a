// `npm run bench:peer`: the engine against llama.cpp's own tools on the same random-weight files, one table with the bars that
// are to be met. Needs scripts/build-peer.mjs once. Short alternating rounds; a ratio is the median of the rounds' own ratios.
// Our decode figures include sampling (temperature 0.8, top-k 40, top-p 0.9), llama.cpp's tools sample nothing.
import { statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadModel } from '../dist/runners/engine-process/load-model.js';
import { engineMegabytes, preparePackage } from './engine-process.mjs';
import { engineSettings, openPackage, sessionCreationMs } from './engine-runs.mjs';
import { busyCores, describeEnvironment } from './environment.mjs';
import { cacheFolder, tokenizerFile } from './folders.mjs';
import { measureContext, measureDecode, measurePrefill, measureVerify } from './peer-lines.mjs';
import { hasPeer } from './peer-tools.mjs';
import { ensureRandomModel } from './random-model.mjs';
import { median, spread } from './rounds.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const usage = `usage: node bench/peer.mjs [--file q4_0|q4_k_m] [--only LINE,...] [--rounds N] [--flash on|off]
  --file    one file type instead of both
  --only    lines by the beginning of their names: memory, session, decode, prefill-512, prefill-2048, context, verify
  --rounds  alternating rounds, 5 unless told
  --flash   llama.cpp's flash attention, instead of trying which is faster`;

const atLeast = (least) => ({ text: `≥ ${least}`, missedBy: (figure) => 1 - figure / least });
const atMost = (most) => ({ text: `≤ ${most}`, missedBy: (figure) => figure / most - 1 });

const files = {
  q4_0: {
    title: 'Q4_0 with a Q8_0 table',
    lines: ['memory', 'session', 'decode', 'prefill-512', 'prefill-2048', 'context', 'verify'],
    bars: {
      decode: { 1: atLeast(1.1), 2: atLeast(1.8), 4: atLeast(2.1), 8: atLeast(2.5), 16: atLeast(2.2) },
      prefill: { 512: atLeast(2.2), 2048: atLeast(2.2) },
      context: { 1: atLeast(1.1), 8: atLeast(2) },
      verify: { 4: atMost(1.2) },
      bandwidth: atLeast(0.92),
      session: atMost(0.3),
      memory: atMost(150),
    },
  },
  q4_k_m: {
    title: 'Q4_K with Q6_K as in Q4_K_M',
    lines: ['decode', 'prefill-512'],
    bars: { decode: { 1: atLeast(1.05), 8: atLeast(2) }, prefill: { 512: atLeast(1.8) } },
  },
};

/** Above this the machine is not idle enough for a comparison. */
const maxBusyCores = 0.2;

// The JavaScript heap of one process is 30 MB larger than that of the next.
const memoryProcesses = 3;

/** By line name: measures it and returns its rows. Each needs `bench`; see benchFile. */
const measurements = {
  memory: async ({ settings, bars }) => {
    const ours = [];
    for (let process = 0; process < memoryProcesses; process++) {
      ours.push(await engineMegabytes(settings));
    }
    return [{ figure: 'memory over file and cache', unit: 'MB', ours, bar: bars.memory }];
  },
  session: async ({ settings, rounds, bars }) => [
    {
      figure: 'session creation, package in page cache',
      unit: 's',
      ours: [(await sessionCreationMs(settings, rounds)) / 1000],
      bar: bars.session,
    },
  ],
  decode: (bench) => measureDecode(bench, Object.keys(bench.bars.decode).map(Number)),
  'prefill-512': (bench) => measurePrefill(bench, 512),
  'prefill-2048': (bench) => measurePrefill(bench, 2048),
  context: (bench) => measureContext(bench, Object.keys(bench.bars.context).map(Number)),
  verify: (bench) => measureVerify(bench, 4),
};

/** Lines that run without llama.cpp. */
const oursAlone = new Set(['memory', 'session', 'verify']);

function readArguments() {
  const { values } = parseArgs({
    options: {
      file: { type: 'string' },
      only: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      flash: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const rounds = Number(values.rounds);
  const wanted = values.only?.split(',');
  const isLine = (prefix) => Object.keys(measurements).some((line) => line.startsWith(prefix));
  const isValid =
    Number.isInteger(rounds) &&
    rounds > 0 &&
    (values.file === undefined || Object.hasOwn(files, values.file)) &&
    [undefined, 'on', 'off'].includes(values.flash) &&
    (wanted ?? []).every((prefix) => prefix !== '' && isLine(prefix));
  if (values.help || !isValid) {
    throw new Error(usage);
  }
  const isWanted = (line) => wanted === undefined || wanted.some((prefix) => line.startsWith(prefix));
  return { rounds, isWanted, flash: values.flash, fileTypes: values.file === undefined ? Object.keys(files) : [values.file] };
}

async function benchFile(fileType, { rounds, isWanted, flash }) {
  const { title, bars } = files[fileType];
  const lines = files[fileType].lines.filter(isWanted);
  if (lines.length === 0) {
    return;
  }
  const modelFile = ensureRandomModel(cacheFolder, tokenizerFile, fileType);
  const numThreads = os.availableParallelism();
  const settings = engineSettings({ modelFile, cacheFolder, numThreads });
  await preparePackage(settings);
  const tensors = [...openPackage(settings).tensors.values()];
  const bench = {
    modelFile,
    settings,
    numThreads,
    rounds,
    flash,
    bars,
    weightsBytes: tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0),
    fileBytes: statSync(modelFile).size,
    notes: [],
  };
  const rows = [];
  for (const line of lines) {
    // Only now: the memory line comes first, while no other process maps the package.
    if (line === 'decode' || line.startsWith('prefill')) {
      bench.loaded ??= await loadModel(settings, { onProgress: () => undefined, onStep: () => undefined });
    }
    process.stderr.write(`${fileType}: ${line} …\n`);
    rows.push(...(await measurements[line](bench)));
  }
  await bench.loaded?.[Symbol.asyncDispose]();
  printTable(`random-weight Llama, 1.2 B shape, ${title}; ${numThreads} threads, f16 cache, rounds: ${rounds}`, rows);
  bench.notes.forEach((note) => console.log(note));
  console.log('');
}

function printTable(title, rows) {
  const cells = [['figure', 'ours', 'llama.cpp', 'ratio', 'bar', ''], ...rows.map(rowCells)];
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  console.log(`\n${title}\n`);
  cells.forEach((row) =>
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    ),
  );
  console.log('');
}

function rowCells({ figure, unit, ours, theirs, ratios, bar }) {
  const measured = ratios ?? ours;
  const missed = bar.missedBy(median(measured));
  return [
    `${figure}, ${unit}`,
    digits(median(ours)) + (ratios === undefined ? withSpread(ours) : ''),
    theirs === undefined ? '–' : digits(median(theirs)),
    ratios === undefined ? '–' : digits(median(ratios)) + withSpread(ratios),
    bar.text,
    missed > 0 ? `missed by ${(missed * 100).toFixed(0)} %` : 'met',
  ];
}

/** Standard error of the median over the rounds; one figure alone has none. */
const withSpread = (figures) => (figures.length > 1 ? ` ± ${digits(spread(figures))}` : '');
const digits = (figure) => figure.toFixed(Math.abs(figure) < 10 ? 2 : Math.abs(figure) < 100 ? 1 : 0);

// Exit handlers end the peer's processes, which a signal would leave stopped.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  const choice = readArguments();
  if (!hasPeer() && Object.keys(measurements).some((line) => choice.isWanted(line) && !oursAlone.has(line))) {
    throw new Error('llama.cpp is not built yet: run `node scripts/build-peer.mjs` once');
  }
  console.log(describeEnvironment(root));
  const busy = await busyCores();
  if (busy > maxBusyCores) {
    console.error(
      `other processes keep ${busy.toFixed(1)} cores busy: llama.cpp, whose threads spin, suffers most; do not compare`,
    );
  }
  for (const fileType of choice.fileTypes) {
    await benchFile(fileType, choice);
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

// Builds what TARS is measured against: llama.cpp's own tools llama-bench, llama-batched-bench and llama-perplexity, for this
// processor, from the source package of llama-cpp-python on PyPI; and the bench's own read-bandwidth beside them. They go to
// the cache folder of the bench and are kept until the version, the options or the processor change.
// Needs python3 with pip, the network, tar, CMake 3.18 or newer and a C++17 compiler; about 8 minutes on 2 cores.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { peerFolder } from '../bench/folders.mjs';

const packageName = 'llama-cpp-python';
const version = '0.3.36';
const archive = `llama_cpp_python-${version}.tar.gz`;
const archiveSha256 = '832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e';
const tools = ['llama-bench', 'llama-batched-bench', 'llama-perplexity'];
const bandwidthTool = 'read-bandwidth';
const bandwidthSource = fileURLToPath(new URL(`../bench/${bandwidthTool}.cpp`, import.meta.url));

const options = {
  CMAKE_BUILD_TYPE: 'Release',
  // The instruction sets of this very processor; prebuilt binaries are a third slower.
  GGML_NATIVE: 'ON',
  // Static, so that the binaries can leave the build folder, which is deleted.
  BUILD_SHARED_LIBS: 'OFF',
  LLAMA_CURL: 'OFF',
  LLAMA_OPENSSL: 'OFF',
  LLAMA_BUILD_TESTS: 'OFF',
  LLAMA_BUILD_EXAMPLES: 'OFF',
  LLAMA_BUILD_SERVER: 'OFF',
  LLAMA_BUILD_APP: 'OFF',
};

/** What the binaries depend on. Native code of another processor may be slow or end with an illegal instruction. */
function identity() {
  const cpuinfo = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : '';
  const flags = /^(?:flags|Features)\s*:.*$/m.exec(cpuinfo)?.[0] ?? '';
  return `${JSON.stringify(
    {
      source: `${packageName} ${version}`,
      options,
      bandwidthSource: digestOf(bandwidthSource),
      processor: os.cpus()[0]?.model ?? process.arch,
      flags: createHash('sha256').update(flags).digest('hex'),
    },
    undefined,
    2,
  )}\n`;
}

function digestOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Runs a command; throws what is missing when it is not installed, or the end of its output when it fails. */
function run(command, args, { needed, what, isQuiet = true, environment = {} }) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', isQuiet ? 'pipe' : 'inherit', isQuiet ? 'pipe' : 'inherit'],
    env: { ...process.env, ...environment },
    maxBuffer: 2 ** 28,
  });
  if (result.error?.code === 'ENOENT') {
    throw new Error(`${what}: ${command} was not found; ${needed}`);
  }
  if (result.error) {
    throw new Error(`${what}: ${result.error.message}`);
  }
  if (result.status !== 0) {
    const lines = `${result.stdout ?? ''}\n${result.stderr ?? ''}`.trim().split('\n');
    throw new Error(`${what} failed (exit status ${result.status}); ${needed}\n${lines.slice(-12).join('\n')}`.trim());
  }
}

/** The source package, its digest checked, unpacked; returns the folder of llama.cpp. */
function fetchSource(folder) {
  const needed = 'python3 with pip and a connection to PyPI are needed';
  const requirement = `${packageName}==${version}`;
  const flags = ['--quiet', '--disable-pip-version-check', '--no-deps', '--no-binary', packageName];
  run('python3', ['-m', 'pip', 'download', ...flags, '--dest', folder, requirement], {
    needed,
    what: `pip download ${requirement}`,
  });
  const file = path.join(folder, archive);
  const digest = existsSync(file) ? digestOf(file) : 'missing';
  if (digest !== archiveSha256) {
    throw new Error(`${archive} has SHA-256 ${digest}, expected ${archiveSha256}`);
  }
  run('tar', ['-xzf', file, '-C', folder], { needed: 'tar with gzip is needed', what: `unpacking ${archive}` });
  return path.join(folder, archive.replace('.tar.gz', ''), 'vendor', 'llama.cpp');
}

function buildTools(source, build) {
  const needed = 'CMake 3.18 or newer and a C++17 compiler are needed';
  const definitions = Object.entries(options).map(([name, value]) => `-D${name}=${value}`);
  run('cmake', ['-S', source, '-B', build, ...definitions], { needed, what: 'configuring llama.cpp' });
  const jobs = String(Math.max(1, os.availableParallelism()));
  run('cmake', ['--build', build, '--config', 'Release', '--parallel', jobs, '--target', ...tools], {
    needed,
    what: 'building llama.cpp',
    isQuiet: false,
  });
}

function buildBandwidthTool(target) {
  run(process.env.CXX || 'c++', ['-std=c++17', '-O3', '-march=native', '-pthread', bandwidthSource, '-o', target], {
    needed: 'a C++17 compiler is needed',
    what: `compiling ${bandwidthTool}`,
  });
}

function build() {
  // Beside the target, so that a build that is cut off never looks like a finished one.
  mkdirSync(path.dirname(peerFolder), { recursive: true });
  const temporary = mkdtempSync(path.join(path.dirname(peerFolder), 'build-peer-'));
  // process.exit and signals skip `finally`; the folder holds half a gigabyte.
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
  console.log(`fetching the source package ${packageName} ${version} (77 MB)`);
  const source = fetchSource(temporary);
  console.log(`building ${tools.join(', ')} (about 8 minutes on 2 cores)`);
  const buildFolder = path.join(temporary, 'build');
  buildTools(source, buildFolder);
  rmSync(peerFolder, { recursive: true, force: true });
  mkdirSync(peerFolder, { recursive: true });
  for (const tool of tools) {
    copyFileSync(path.join(buildFolder, 'bin', tool), path.join(peerFolder, tool));
  }
  buildBandwidthTool(path.join(peerFolder, bandwidthTool));
  writeFileSync(path.join(peerFolder, 'build.json'), identity());
}

const record = path.join(peerFolder, 'build.json');
if (existsSync(record) && readFileSync(record, 'utf8') === identity()) {
  console.log(`${peerFolder}: built already`);
} else {
  try {
    build();
    console.log(`${peerFolder}: built`);
  } catch (error) {
    console.error(`the peer was not built: ${error.message}`);
    process.exitCode = 1;
  }
}

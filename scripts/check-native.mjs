// Builds and runs native/test/check.cpp: random shapes, values and hostile inputs for every operator on every instruction set,
// without ONNX Runtime. `npm run check:native` runs all of these; names choose some of them:
//   all        every pass that ships, no sanitizer
//   address    reads and writes outside allocations, and undefined behaviour
//   thread     data races
//   arm64      the arm64 kernels, cross-compiled and under emulation (aarch64-linux-gnu-g++, qemu-aarch64)
// What is not installed is named and skipped.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const native = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'native');
const crossCompiler = 'aarch64-linux-gnu-g++';
const emulator = 'qemu-aarch64';

const checks = {
  all: { cases: 10_000, options: [], needs: ['cmake', 'c++'] },
  address: { cases: 400, options: ['-DTARS_SANITIZE=address,undefined'], needs: ['cmake', 'c++'] },
  thread: { cases: 100, options: ['-DTARS_SANITIZE=thread'], needs: ['cmake', 'c++'] },
  arm64: {
    cases: 200,
    options: [
      '-DCMAKE_SYSTEM_NAME=Linux',
      '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
      `-DCMAKE_CXX_COMPILER=${crossCompiler}`,
      '-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc',
    ],
    needs: ['cmake', crossCompiler, emulator],
    runner: [emulator, '-L', '/usr/aarch64-linux-gnu'],
  },
};

function hasCommand(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function run(command, args, isQuiet = false) {
  const { status, stdout, error } = spawnSync(command, args, { stdio: isQuiet ? ['ignore', 'pipe', 'inherit'] : 'inherit' });
  if (status !== 0 && isQuiet) {
    process.stdout.write(stdout ?? `${command}: ${error.message}\n`);
  }
  return status === 0;
}

/** True when the check passed or was skipped. */
function check(name) {
  const { cases, options, needs, runner = [] } = checks[name];
  const missing = needs.filter((command) => !hasCommand(command));
  if (missing.length > 0) {
    console.log(`skipped: operator check "${name}" (needs ${missing.join(', ')})`);
    return true;
  }
  const build = path.join(native, 'build', `check-${name}`);
  const isBuilt =
    run('cmake', ['-S', native, '-B', build, '-DCMAKE_BUILD_TYPE=Release', ...options], true) &&
    run('cmake', ['--build', build, '--target', 'tars_ops_check', '--parallel', '2'], true);
  if (!isBuilt) {
    console.log(`operator check "${name}": the build failed`);
    return false;
  }
  const [command, ...args] = [...runner, path.join(build, 'tars_ops_check'), String(cases)];
  const passed = run(command, args);
  console.log(`operator check "${name}": ${passed ? 'passed' : 'FAILED'}`);
  return passed;
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
const unknown = names.filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(`no check named ${unknown.join(', ')}; there are: ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}
process.exitCode = names.map(check).every(Boolean) ? 0 : 1;

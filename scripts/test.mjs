// `npm test`: compiles, then runs every test. On CI it also fetches the real model, rebuilds the operator library, runs the
// operator tests on the rebuilt one, and checks the operators under sanitizers and emulation. Elsewhere the model and a rebuilt
// library are used when they are there already.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const rebuiltLibrary = path.join(root, 'native', 'build', 'libtars_ops.so');

function run(command, args, environment = {}) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  if (error) {
    console.error(`${command}: ${error.message}`);
  }
  return status ?? 1;
}

function hasCommand(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');

let failures = run(process.execPath, ['scripts/build.mjs']);
if (process.env.CI) {
  failures += run(process.execPath, ['scripts/fetch-test-models.mjs', '--optional']);
  if (hasCommand('cmake') && hasCommand('c++')) {
    failures += run(process.execPath, ['scripts/build-native.mjs']);
    failures += run(process.execPath, ['scripts/check-native.mjs']);
  } else {
    console.log('skipped: tests of a rebuilt operator library (needs CMake and a C++ compiler)');
  }
}
if (existsSync(rebuiltLibrary)) {
  failures += run(process.execPath, [vitest, 'run', 'test/native'], { TARS_NATIVE_LIBRARY: rebuiltLibrary });
}
failures += run(process.execPath, [vitest, 'run', ...process.argv.slice(2)]);
process.exitCode = failures === 0 ? 0 : 1;

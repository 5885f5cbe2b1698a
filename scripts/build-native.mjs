// Builds the operator library (native/) with CMake into native/build. `--prebuilt` also installs the stripped library and its
// source digest into native/prebuilt/<platform>-<arch>/, the folder that the package ships. `--digest` only prints the digest.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const native = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'native');
const build = path.join(native, 'build');

/** SHA-256 over the names and contents of all sources, in the order of their names. */
function sourceDigest() {
  const files = ['include', 'kernels', 'ops']
    .flatMap((folder) => readdirSync(path.join(native, folder), { recursive: true }).map((file) => path.posix.join(folder, file)))
    .filter((file) => /\.(h|cpp)$/.test(file))
    .concat('CMakeLists.txt')
    .sort();
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file}\n`).update(readFileSync(path.join(native, file)));
  }
  return hash.digest('hex');
}

function run(command, args) {
  const result = spawnSync(command, args, { stdio: 'inherit' });
  if (result.error?.code === 'ENOENT') {
    console.error(
      `${command} was not found. Building the operator library needs CMake 3.18 or newer, a C++17 compiler and strip.`,
    );
    process.exit(1);
  }
  if (result.status !== 0) {
    process.exit(result.status ?? 1);
  }
}

const digest = sourceDigest();
if (process.argv.includes('--digest')) {
  console.log(digest);
  process.exit(0);
}
const library = path.join(build, 'libtars_ops.so');
run('cmake', ['-S', native, '-B', build, '-DCMAKE_BUILD_TYPE=Release', `-DTARS_SOURCE_DIGEST=${digest}`]);
run('cmake', ['--build', build, '--parallel', '2']);
run('strip', ['--strip-unneeded', library]);

if (process.argv.includes('--prebuilt')) {
  const target = path.join(native, 'prebuilt', `${process.platform}-${process.arch}`);
  mkdirSync(target, { recursive: true });
  copyFileSync(library, path.join(target, 'libtars_ops.so'));
  writeFileSync(path.join(target, 'digest.txt'), `${digest}\n`);
  console.log(`installed ${path.join(target, 'libtars_ops.so')}`);
} else {
  console.log(`built ${library}; use it with TARS_NATIVE_LIBRARY=${library}`);
}

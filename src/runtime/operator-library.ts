// Finds our own operator library (native/) and asks it what it is.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { TarsError } from '../errors/index.js';
import { OnnxRuntimeLibrary } from './library.js';

const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Path of the operator library: the given file (TARS_NATIVE_LIBRARY), else the prebuilt one of this platform, else a local
 * build. Throws NATIVE_LIBRARY_MISSING with the command that builds it.
 */
export function findOperatorLibrary(configured?: string): string {
  const platform = `${process.platform}-${process.arch}`;
  const candidates =
    configured !== undefined && configured !== ''
      ? [path.resolve(configured)]
      : [
          path.join(packageRoot, 'native', 'prebuilt', platform, 'libtars_ops.so'),
          path.join(packageRoot, 'native', 'build', 'libtars_ops.so'),
        ];
  const file = candidates.find((candidate) => existsSync(candidate));
  if (file === undefined) {
    throw new TarsError('NATIVE_LIBRARY_MISSING', { platform });
  }
  return file;
}

/** Name of the instruction set that the library chose on this processor, for example `avx512vnni`. */
export function operatorInstructionSet(file: string): string {
  return koffi.load(file).func('const char *tars_ops_isa()')() as string;
}

export interface RuntimeFacts {
  readonly onnxRuntimeVersion: string;
  /** Path of the operator library. */
  readonly operatorLibrary: string;
  readonly instructionSet: string;
}

/** Loads both libraries and says what they are. Throws what loading a model would throw. */
export function describeRuntime(configuredLibrary?: string): RuntimeFacts {
  const operatorLibrary = findOperatorLibrary(configuredLibrary);
  return {
    onnxRuntimeVersion: new OnnxRuntimeLibrary().version,
    operatorLibrary,
    instructionSet: operatorInstructionSet(operatorLibrary),
  };
}

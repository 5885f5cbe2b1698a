// Execution providers: which ones the loaded library has, and how each is added to a session.
import { existsSync } from 'node:fs';
import path from 'node:path';
import koffi from 'koffi';
import { TarsError, errorMessage } from '../errors/index.js';
import type { OnnxRuntimeLibrary } from './library.js';

export type ProviderName = 'cpu' | 'cuda' | 'webgpu';

export type ProviderOptions = Readonly<Record<string, string>>;

/** Provider names as ONNX Runtime reports them, for example `CPUExecutionProvider`. */
export function availableProviders(library: OnnxRuntimeLibrary): string[] {
  const names: (bigint | null)[] = [null];
  const count = [0];
  library.call('GetAvailableProviders', names, count);
  const pointers = koffi.decode(names[0], 'char *', count[0] ?? 0) as string[];
  library.call('ReleaseAvailableProviders', names[0] ?? null, count[0] ?? 0);
  return pointers;
}

/**
 * Adds a provider to session options; `cpu` needs nothing.
 * Throws PROVIDER_UNAVAILABLE with what is missing and where it was looked for.
 */
export function appendProvider(
  library: OnnxRuntimeLibrary,
  sessionOptions: bigint,
  provider: ProviderName,
  options: ProviderOptions = {},
): void {
  const keys = Object.keys(options);
  const values = Object.values(options);
  switch (provider) {
    case 'cpu':
      return;
    case 'webgpu':
      try {
        library.call('SessionOptionsAppendExecutionProvider', sessionOptions, 'WebGPU', keys, values, keys.length);
      } catch (error) {
        throw new TarsError('PROVIDER_UNAVAILABLE', { provider, reason: errorMessage(error) }, { cause: error });
      }
      return;
    case 'cuda':
      appendCuda(library, sessionOptions, keys, values);
      return;
    default:
      provider satisfies never;
  }
}

function appendCuda(library: OnnxRuntimeLibrary, sessionOptions: bigint, keys: string[], values: string[]): void {
  const folder = path.dirname(library.file);
  const needed = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
  if (!existsSync(path.join(folder, needed))) {
    throw new TarsError('PROVIDER_UNAVAILABLE', {
      provider: 'cuda',
      reason: `${needed} is not beside ${path.basename(library.file)}; install ONNX Runtime's CUDA provider there`,
    });
  }
  let cuda = 0n;
  try {
    cuda = library.create('CreateCUDAProviderOptions');
    library.call('UpdateCUDAProviderOptions', cuda, keys, values, keys.length);
    library.call('SessionOptionsAppendExecutionProvider_CUDA_V2', sessionOptions, cuda);
  } catch (error) {
    throw new TarsError('PROVIDER_UNAVAILABLE', { provider: 'cuda', reason: errorMessage(error) }, { cause: error });
  } finally {
    if (cuda !== 0n) {
      library.release('ReleaseCUDAProviderOptions', cuda);
    }
  }
}
